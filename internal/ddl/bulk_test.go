package ddl

import (
	"strings"
	"testing"
)

func BenchmarkInert(b *testing.B) {
	utf8, _ := NewEncoding("UTF8")
	text := []byte("INSERT INTO t (a, b, c) VALUES " + strings.Repeat("(1, 'some text that is stored', 1.5e-07), ", 25_000) + "(1, 'drop', 2)")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		proof := NewInert(utf8)
		proof.Write(text)
		if !proof.Inert() {
			b.Fatal("a plain INSERT is not said to be inert")
		}
	}
}
