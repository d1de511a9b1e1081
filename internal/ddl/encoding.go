package ddl

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Encoding is a client_encoding. The zero value is one that is not known: it reads and writes ASCII, which is the same in all.
type Encoding struct {
	codec encoding.Encoding // nil: the bytes are taken as they are
	known bool
	// wide is true when the second byte of a character can be an ASCII byte, so that text cannot be read byte by byte.
	wide bool
}

// NewEncoding returns the encoding of that Postgres name (client_encoding, in any spelling the server accepts). An unknown one is
// false, and the zero Encoding.
func NewEncoding(pgName string) (Encoding, bool) {
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(pgName))
	switch name {
	case "utf8", "unicode", "sqlascii":
		return Encoding{known: true}, true
	}
	if codec, ok := codecs[name]; ok {
		return Encoding{codec: codec, known: true}, true
	}
	if codec, ok := wideCodecs[name]; ok {
		return Encoding{codec: codec, known: true, wide: true}, true
	}
	return Encoding{}, false
}

// codecs are the encodings whose characters of several bytes have no ASCII byte in them; their names as pg_char_to_encoding cleans them.
// JOHAB, EUC_TW, MULE_INTERNAL and the JIS 2004 encodings have no codec in Go.
var codecs = map[string]encoding.Encoding{
	"latin1": charmap.ISO8859_1, "iso88591": charmap.ISO8859_1,
	"latin2": charmap.ISO8859_2, "iso88592": charmap.ISO8859_2,
	"latin3": charmap.ISO8859_3, "iso88593": charmap.ISO8859_3,
	"latin4": charmap.ISO8859_4, "iso88594": charmap.ISO8859_4,
	"latin5": charmap.ISO8859_9, "iso88599": charmap.ISO8859_9,
	"latin6": charmap.ISO8859_10, "iso885910": charmap.ISO8859_10,
	"latin7": charmap.ISO8859_13, "iso885913": charmap.ISO8859_13,
	"latin8": charmap.ISO8859_14, "iso885914": charmap.ISO8859_14,
	"latin9": charmap.ISO8859_15, "iso885915": charmap.ISO8859_15,
	"latin10": charmap.ISO8859_16, "iso885916": charmap.ISO8859_16,
	"iso88595": charmap.ISO8859_5,
	"iso88596": charmap.ISO8859_6,
	"iso88597": charmap.ISO8859_7,
	"iso88598": charmap.ISO8859_8,
	"koi8":     charmap.KOI8R, "koi8r": charmap.KOI8R,
	"koi8u":  charmap.KOI8U,
	"win866": charmap.CodePage866, "windows866": charmap.CodePage866, "alt": charmap.CodePage866,
	"win874": charmap.Windows874, "windows874": charmap.Windows874,
	"win1250": charmap.Windows1250, "windows1250": charmap.Windows1250,
	"win": charmap.Windows1251, "win1251": charmap.Windows1251, "windows1251": charmap.Windows1251,
	"win1252": charmap.Windows1252, "windows1252": charmap.Windows1252,
	"win1253": charmap.Windows1253, "windows1253": charmap.Windows1253,
	"win1254": charmap.Windows1254, "windows1254": charmap.Windows1254,
	"win1255": charmap.Windows1255, "windows1255": charmap.Windows1255,
	"win1256": charmap.Windows1256, "windows1256": charmap.Windows1256,
	"win1257": charmap.Windows1257, "windows1257": charmap.Windows1257,
	"abc": charmap.Windows1258, "tcvn": charmap.Windows1258, "tcvn5712": charmap.Windows1258, "vscii": charmap.Windows1258,
	"win1258": charmap.Windows1258, "windows1258": charmap.Windows1258,
	"eucjp": japanese.EUCJP,
	"euckr": korean.EUCKR,
	"euccn": simplifiedchinese.GBK, // which has EUC_CN in it
}

var wideCodecs = map[string]encoding.Encoding{
	"sjis": japanese.ShiftJIS, "shiftjis": japanese.ShiftJIS, "mskanji": japanese.ShiftJIS, "win932": japanese.ShiftJIS, "windows932": japanese.ShiftJIS,
	"uhc": korean.EUCKR, "win949": korean.EUCKR, "windows949": korean.EUCKR,
	"big5": traditionalchinese.Big5, "win950": traditionalchinese.Big5, "windows950": traditionalchinese.Big5,
	"gbk": simplifiedchinese.GBK, "win936": simplifiedchinese.GBK, "windows936": simplifiedchinese.GBK,
	"gb18030": simplifiedchinese.GB18030,
}

// Decode gives the text in UTF-8, and only if it can be proven that Encode gives the same bytes again; else ErrEncoding. ASCII bytes
// of characters of their own stay what they are, so a keyword is where it was.
func (e Encoding) Decode(raw []byte) (string, error) {
	if isASCII(raw) {
		return string(raw), nil
	}
	if !e.known {
		return "", fmt.Errorf("%w: the encoding is not known", ErrEncoding)
	}
	if e.codec == nil {
		if !utf8.Valid(raw) {
			return "", ErrEncoding
		}
		return string(raw), nil
	}
	decoded, err := e.codec.NewDecoder().Bytes(raw)
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrEncoding, err)
	}
	text := string(decoded)
	again, err := e.Encode(text)
	if err != nil {
		return "", err
	}
	if string(again) != string(raw) {
		return "", fmt.Errorf("%w: it would not survive being read and written", ErrEncoding)
	}
	return text, nil
}

// Encode gives the text's bytes in the encoding, ErrEncoding if it cannot say them.
func (e Encoding) Encode(text string) ([]byte, error) {
	if isASCII([]byte(text)) {
		return []byte(text), nil
	}
	if !e.known {
		return nil, fmt.Errorf("%w: the encoding is not known", ErrEncoding)
	}
	if e.codec == nil {
		return []byte(text), nil
	}
	raw, err := e.codec.NewEncoder().Bytes([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrEncoding, err)
	}
	return raw, nil
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
