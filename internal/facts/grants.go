package facts

import (
	"cmp"
	"slices"
	"strings"
)

// privileges are those of relations and columns, by their letters in an access control list.
var privileges = map[rune]string{
	'a': "INSERT", 'r': "SELECT", 'w': "UPDATE", 'd': "DELETE", 'D': "TRUNCATE", 'x': "REFERENCES", 't': "TRIGGER", 'm': "MAINTAIN", 'U': "USAGE",
}

// grants are what others than its owner may do with a relation, and with its columns.
func (q *question) grants(relation *Relation) []Grant {
	lists := q.lists[relation.OID]
	grants := granted(lists[0], "", relation.Owner)
	for _, c := range relation.Columns {
		grants = append(grants, granted(lists[c.Num], c.Name, relation.Owner)...)
	}
	return grants
}

// granted reads an access control list, as aclitemout writes its members: role=privileges/grantor, each privilege a letter, and a star behind it with the grant
// option.
func granted(list []string, column, owner string) []Grant {
	var grants []Grant
	for _, item := range list {
		role, rest := "", ""
		if strings.HasPrefix(item, `"`) {
			role, rest = firstName(item)
			rest = strings.TrimPrefix(rest, "=")
		} else {
			role, rest, _ = strings.Cut(item, "=")
		}
		if role == owner {
			continue
		}
		letters, _, _ := strings.Cut(rest, "/")
		for i, letter := range letters {
			if name := privileges[letter]; name != "" {
				grants = append(grants, Grant{Role: role, Privilege: name, Column: column, Grantable: strings.HasPrefix(letters[i+1:], "*")})
			}
		}
	}
	slices.SortStableFunc(grants, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Privilege, b.Privilege))
	})
	return grants
}
