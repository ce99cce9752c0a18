package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// serve answers / with the pod's name, and /healthz until -healthy-for has passed; it serves the files
// of -files below that. With -cert and -key it speaks TLS.
func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", ":8080", "address")
	files := flags.String("files", "", "folder to serve")
	healthyFor := flags.Duration("healthy-for", 0, "answer /healthz with 500 after this time (0: never)")
	certificate := flags.String("cert", "", "certificate file")
	key := flags.String("key", "", "key file")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	started := time.Now()
	routes := http.NewServeMux()
	routes.HandleFunc("/healthz", func(answer http.ResponseWriter, _ *http.Request) {
		if *healthyFor > 0 && time.Since(started) > *healthyFor {
			answer.WriteHeader(http.StatusInternalServerError)
		}
	})
	if *files != "" {
		routes.Handle("/", http.FileServer(http.Dir(*files)))
	} else {
		routes.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
			name, _ := os.Hostname()
			fmt.Fprintln(answer, name)
		})
	}
	fmt.Println("serving on", *listen)
	if *certificate != "" {
		return http.ListenAndServeTLS(*listen, *certificate, *key, routes)
	}
	return http.ListenAndServe(*listen, routes)
}

// get prints what each address answers, one after the other, over connections of their own.
func get(addresses []string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, address := range addresses {
		answer, err := client.Get(address)
		if err != nil {
			return err
		}
		_, err = io.Copy(os.Stdout, answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answered %s", address, answer.Status)
		}
	}
	return nil
}

// write puts a text into a file, or copies standard input when no text is given.
func write(arguments []string) error {
	if len(arguments) == 0 || len(arguments) > 2 {
		return errors.New("usage: write FILE [TEXT]")
	}
	if len(arguments) == 2 {
		return os.WriteFile(arguments[0], []byte(arguments[1]), 0o644)
	}
	file, err := os.Create(arguments[0])
	if err != nil {
		return err
	}
	_, err = io.Copy(file, os.Stdin)
	return errors.Join(err, file.Close())
}

// burn keeps one CPU busy for the given time, so that a limit throttles it.
func burn(arguments []string) error {
	flags := flag.NewFlagSet("burn", flag.ContinueOnError)
	duration := flags.Duration("for", time.Minute, "how long")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for end := time.Now().Add(*duration); time.Now().Before(end); {
	}
	return nil
}
