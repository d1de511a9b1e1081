package proxy

import (
	"bytes"
	"errors"
	"io"
	"time"
)

// close ends the session: what ended it is said to the client where it still listens, and returned where somebody should know.
func (s *session) close(err error) error {
	defer s.hangUp()
	if s.link.client.ended && errors.Is(err, errClientGone) {
		return nil
	}
	_ = s.link.client.conn.SetDeadline(time.Now().Add(partingTimeout))
	var lost *inFlight
	switch {
	case errors.Is(err, errClientGone):
		return nil
	case errors.As(err, &lost):
		s.farewell(lost.code, lost.message)
		return nil
	case errors.Is(err, errServerGone):
		s.lastWords()
		return nil
	case errors.Is(err, errDrained):
		s.farewell("57P01", "pgsluice: terminating connection because the proxy is shutting down")
		return nil
	}
	s.farewell("XX000", "pgsluice: cannot go on: "+err.Error())
	return err
}

// farewell is the last message of a session. Nobody is left to hear of an error in writing it.
func (s *session) farewell(code, message string) {
	report := s.voice.report(code, message, "", "")
	report.Severity, report.SeverityUnlocalized = "FATAL", "FATAL"
	_ = s.voice.say(report)
}

// lastWords gives the client the error with which the server hung up, if it came while the session was talking to it.
func (s *session) lastWords() {
	server := s.link.server
	_ = server.conn.SetReadDeadline(time.Now().Add(partingTimeout))
	for {
		kind, size, err := server.header()
		if err != nil || size > bufferSize || server.hold(size) != nil {
			return
		}
		frame := server.take(size)
		if kind == 'E' && (bytes.Contains(frame, []byte("VFATAL\x00")) || bytes.Contains(frame, []byte("VPANIC\x00"))) {
			_, _ = s.link.client.conn.Write(frame)
			return
		}
	}
}

// hangUp ends both connections. A socket that is closed while it holds bytes that nobody read takes what is on its way with
// it, so a client that has not ended its side is read until it has seen the end.
func (s *session) hangUp() {
	end(s.link.server.conn)
	if s.link.client.ended {
		return
	}
	closeWrite(s.link.client.conn)
	_, _ = io.Copy(io.Discard, s.link.client.conn)
}
