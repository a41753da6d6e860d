// Cri calls a container runtime as the kubelet does: through the Container Runtime Interface, version 1.
//
//	cri unix:///path/to/containerd.sock
//
// It reads requests from stdin, a line of JSON each, and writes an answer to stdout for each as it comes, in any order:
//
//	{"id": 1, "service": "RuntimeService", "method": "Version", "request": {}}
//	{"id": 1, "response": {"runtimeName": "containerd"}}   or   {"id": 1, "error": "..."}
//
// Requests and responses are the messages of k8s.io/cri-api in protobuf's JSON. It ends when stdin does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Registers the messages and services.
	_ "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const maxLine = 16 << 20

type call struct {
	ID      int             `json:"id"`
	Service string          `json:"service"`
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
}

type answer struct {
	ID       int             `json:"id"`
	Response json.RawMessage `json:"response,omitempty"`
	Error    string          `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: cri unix:///path/to/containerd.sock")
		os.Exit(2)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "cri:", err)
		os.Exit(1)
	}
}

func serve(endpoint string) error {
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()

	var writing sync.Mutex
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("a request is not as expected: %w", err)
		}
		go func() {
			a := answer{ID: c.ID}
			if response, err := invoke(connection, c); err != nil {
				a.Error = err.Error()
			} else {
				a.Response = response
			}
			writing.Lock()
			defer writing.Unlock()
			_ = answers.Encode(a)
		}()
	}
	return lines.Err()
}

func invoke(connection *grpc.ClientConn, c call) (json.RawMessage, error) {
	service := protoreflect.FullName("runtime.v1").Append(protoreflect.Name(c.Service))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(service.Append(protoreflect.Name(c.Method)))
	if err != nil {
		return nil, fmt.Errorf("%s has no method %s: %w", service, c.Method, err)
	}
	method, ok := found.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s.%s is no method", service, c.Method)
	}
	input, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return nil, err
	}
	output, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
	if err != nil {
		return nil, err
	}
	request, response := input.New().Interface(), output.New().Interface()
	if err := protojson.Unmarshal(c.Request, request); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Method, err)
	}
	path := fmt.Sprintf("/%s/%s", service, c.Method)
	// The first calls come before the runtime listens.
	if err := connection.Invoke(context.Background(), path, request, response, grpc.WaitForReady(true)); err != nil {
		return nil, err
	}
	return protojson.Marshal(response)
}
