// Package scheduler says when jobs run. Ticks that were missed need no catching up: a job continues where its watermarks
// are.
package scheduler
