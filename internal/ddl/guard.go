package ddl

func tooComplex(text string) bool { return false }
