package main

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Secret is a credential that prints as "[secret]" in every form, so that it cannot reach a log, an error or a page.
// Reveal alone gives it away.
type Secret struct{ value string }

var _ encoding.TextMarshaler = Secret{}

const redacted = "[secret]"

// Reveal returns the credential itself, for the one place that sends it.
func (s Secret) Reveal() string { return s.value }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter: no verb prints the credential.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// readSecret resolves "env:NAME" or "file:PATH", a path relative to dir. With a nil env only the form of ref is checked.
// The text of its errors never repeats ref, which may be a credential that somebody typed into the file.
func readSecret(ref, dir string, env lookupEnv) (Secret, error) {
	variable, inEnv := strings.CutPrefix(ref, "env:")
	path, inFile := strings.CutPrefix(ref, "file:")
	switch {
	case ref == "":
		return Secret{}, errors.New(`empty. Write "env:NAME" or "file:PATH"`)
	case !inEnv && !inFile:
		return Secret{}, errors.New(`a secret itself does not belong into this file. Put it into an environment variable and write "env:NAME", or into a file that only handoff can read and write "file:PATH"`)
	case env == nil:
		return Secret{}, nil
	case inEnv:
		value, _ := env(variable)
		if value == "" {
			return Secret{}, fmt.Errorf(`environment variable %s is not set. Set it where handoff runs, or keep the secret in a file and write "file:PATH"`, variable)
		}
		return Secret{value}, nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Secret{}, fmt.Errorf("there is no file %s. Create it with nothing but the secret in it", path)
	}
	if err != nil {
		return Secret{}, fmt.Errorf("file %s cannot be read: %w. Let the user that handoff runs as read it", path, cause(err))
	}
	value := strings.TrimSpace(string(b))
	if value == "" {
		return Secret{}, fmt.Errorf("file %s is empty. It should hold nothing but the secret", path)
	}
	return Secret{value}, nil
}

// cause strips the operation and the path from a file error whose message names them already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
