// The one image of the development cluster's own: a static program that holds a pod's namespaces
// (pause), makes and removes volume folders for the provisioner (volume), and has the commands of the tests
// (serve, get, write, burn), so that no distribution's image is needed.
//
// Its first argument picks the command, or the name it is called by.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

var commands = map[string]func(arguments []string) error{
	"pause":  pause,
	"volume": volume,
	"serve":  serve,
	"get":    get,
	"write":  write,
	"burn":   burn,
}

func main() {
	name, arguments := filepath.Base(os.Args[0]), os.Args[1:]
	if name == "pause" && len(arguments) > 0 {
		name, arguments = arguments[0], arguments[1:]
	}
	command, known := commands[name]
	if !known {
		fmt.Fprintf(os.Stderr, "unknown command %q\n", name)
		os.Exit(2)
	}
	if err := command(arguments); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// pause waits for a signal to end. As the first process of a pod that shares its process namespace it
// also collects the children other containers leave behind.
func pause([]string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return nil
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
	return nil
}
