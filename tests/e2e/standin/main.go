// Command standin is every program of the pods of the end-to-end tests: the services, their databases, the commands
// that probes and migrations run, and the pause container. The environment of its image sets how it behaves.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "pause":
		wait()
	case "python": // a migration
		fail("MIGRATE")
		takeTime()
		fmt.Println("migrated to", os.Getenv("RELEASE"))
	case "sh", "redis-cli", "pg_isready": // a database's probe
		fail("READY")
	default:
		serve()
	}
}

// fail exits with code 1 if the variable is set to no.
func fail(variable string) {
	if os.Getenv(variable) == "no" {
		fmt.Fprintln(os.Stderr, variable+"=no")
		os.Exit(1)
	}
}

// takeTime waits for MIGRATE_SECONDS, or, like a statement that a database has to undo, for some seconds after it is
// asked to end.
func takeTime() {
	needed, _ := time.ParseDuration(os.Getenv("MIGRATE_SECONDS") + "s")
	if needed == 0 {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	select {
	case <-asked:
		time.Sleep(5 * time.Second)
		os.Exit(1)
	case <-time.After(needed):
	}
}

// wait returns when the program is asked to end.
func wait() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	<-asked
}

// serve answers HTTP. CRASH is the time after which the program crashes. READY=no fails the readiness probe; READY=flaps
// fails it every other 6 s during READY_AFTER. HEALTH=bad fails all requests that are not the kubelet's.
func serve() {
	started := time.Now()
	if crash := os.Getenv("CRASH"); crash != "" {
		after, err := time.ParseDuration(crash)
		if err != nil {
			panic(err)
		}
		if after == 0 {
			fmt.Fprintln(os.Stderr, "crash at start")
			os.Exit(3)
		}
		time.AfterFunc(after, func() {
			fmt.Fprintln(os.Stderr, "crash after", after)
			os.Exit(3)
		})
	}
	after, _ := time.ParseDuration(os.Getenv("READY_AFTER"))
	ready := func() bool {
		age := time.Since(started)
		switch os.Getenv("READY") {
		case "no":
			return false
		case "flaps":
			return age > after || age%(12*time.Second) > 6*time.Second
		default:
			return age >= after
		}
	}
	readiness := os.Getenv("READINESS")
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		kubelet := strings.HasPrefix(request.UserAgent(), "kube-probe/")
		if request.URL.Path == readiness && kubelet && !ready() {
			http.Error(answer, "not ready", http.StatusServiceUnavailable)
			return
		}
		if request.URL.Path != "/" && !kubelet && os.Getenv("HEALTH") == "bad" {
			http.Error(answer, "unwell", http.StatusInternalServerError)
			return
		}
		json.NewEncoder(answer).Encode(map[string]string{
			"release": os.Getenv("RELEASE"), "pod": os.Getenv("HOSTNAME"),
		})
	})
	go waitAndEnd()
	fmt.Println(os.Getenv("RELEASE"), "listens on", os.Getenv("LISTEN"))
	panic(http.ListenAndServe(os.Getenv("LISTEN"), nil))
}

func waitAndEnd() {
	wait()
	os.Exit(0)
}
