package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// volume makes or removes the folder behind a PersistentVolume, called the way local-path-provisioner
// calls its helper: -p FOLDER -s BYTES -m MODE -a create|delete. The folder is everyone's to write: a
// pod that is not root must be able to use its claim without an fsGroup.
func volume(arguments []string) error {
	flags := flag.NewFlagSet("volume", flag.ContinueOnError)
	folder := flags.String("p", "", "folder of the volume")
	action := flags.String("a", "", "create or delete")
	_ = flags.String("s", "", "size in bytes (not enforced)")
	_ = flags.String("m", "", "volume mode")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if !filepath.IsAbs(*folder) || filepath.Dir(*folder) == "/" {
		return fmt.Errorf("%q is no folder of a volume", *folder)
	}
	switch *action {
	case "create":
		return errors.Join(os.MkdirAll(*folder, 0o777), os.Chmod(*folder, 0o777)) // past the umask
	case "delete":
		return os.RemoveAll(*folder)
	}
	return fmt.Errorf("unknown action %q", *action)
}
