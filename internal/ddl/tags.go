package ddl

import (
	"net/url"
	"regexp"
	"strings"
)

// mostTags and longestTag bound what is read of a statement's tags: a client chooses them.
const (
	mostTags   = 16
	longestTag = 200
)

// Tags are what the comments around and in a statement say of who sends it, as sqlcommenter (key='value', URL-encoded) and marginalia (key:value) write
// them, separated by commas. A comment counts only if all of it is tags. One that by its name or its looks may be a secret is left out.
func Tags(s Statement) map[string]string {
	var tags map[string]string
	for _, text := range []string{s.Lead, s.Text, s.Tail} {
		scan(text, false, func(t token) {
			for key, value := range tagsOf(commentText(text[t.start:t.end])) {
				if tags == nil {
					tags = map[string]string{}
				}
				if len(tags) < mostTags && !mayBeSecret(key, value) {
					tags[key] = value
				}
			}
		})
	}
	return tags
}

// tagsOf reads one comment; nil when it is another.
func tagsOf(comment string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(comment, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "='")
		if ok {
			value, ok = strings.CutSuffix(value, "'")
			value = strings.ReplaceAll(value, `\'`, "'")
		} else if key, value, ok = strings.Cut(strings.TrimSpace(part), ":"); ok {
			ok = marginal.MatchString(value)
		}
		key, badKey := url.QueryUnescape(key)
		value, badValue := url.PathUnescape(value)
		if !ok || badKey != nil || badValue != nil || !tagKey.MatchString(key) {
			return nil
		}
		tags[key] = value
	}
	return tags
}

var (
	tagKey   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,40}$`)
	marginal = regexp.MustCompile(`^[A-Za-z0-9_.:/#-]*$`)

	secretName  = regexp.MustCompile(`(?i)passw|pwd|secret|token|credential|auth|cookie|private|api.?key|access.?key|session|dsn|conn`)
	secretValue = regexp.MustCompile(`(?i)://[^/]*@|passw|secret|-----BEGIN|\bbearer\b|^eyJ`)
)

// mayBeSecret reports whether a tag is better not written down.
func mayBeSecret(key, value string) bool {
	return secretName.MatchString(key) || Claim(value) != value
}

// Claim is what a client says of itself, as it may be written down: in one line, not too long, and "…" when it looks like a secret.
func Claim(value string) string {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
	if secretValue.MatchString(value) || LooksSecret(value) {
		return "…"
	}
	if len(value) > longestTag {
		return strings.ToValidUTF8(value[:longestTag], "") + "…"
	}
	return value
}
