// Package notify sends findings to people, one file a channel.
package notify
