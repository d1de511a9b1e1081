package policy

import "fmt"

// String is the action's name in the configuration.
func (a Action) String() string {
	switch a {
	case Off:
		return "off"
	case Pass:
		return "pass"
	case Warn:
		return "warn"
	case Rewrite:
		return "rewrite"
	case Block:
		return "block"
	}
	return fmt.Sprintf("Action(%d)", int(a))
}

// ParseAction reads an action that a rule can be set to: block, rewrite, warn or off.
func ParseAction(name string) (Action, error) {
	for _, a := range []Action{Block, Rewrite, Warn, Off} {
		if a.String() == name {
			return a, nil
		}
	}
	return Off, fmt.Errorf("%q is not an action of a rule: use block, rewrite, warn or off", name)
}
