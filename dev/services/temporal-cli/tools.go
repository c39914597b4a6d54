//go:build tools

// Package tools names the one program that this module exists to build, so that go.mod and go.sum pin all of it. A plain
// `go install` of the command is refused: its own module replaces a part by a local folder.
package tools

import _ "github.com/temporalio/cli/cmd/temporal"
