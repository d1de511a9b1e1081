package main

import (
	"debug/elf"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// repository is where the Dockerfile lies, and so the context of its build.
const repository = "../../"

// instruction is one of a Dockerfile: its word, and what it is given.
type instruction struct {
	word string
	args []string
}

// stage is the instructions of a stage, its FROM first.
type stage []instruction

func readDockerfile(t *testing.T) (builds, runs stage) {
	t.Helper()
	var stages []stage
	var joined strings.Builder
	for line := range strings.Lines(readFile(t, "Dockerfile")) {
		if !strings.HasPrefix(line, "#") {
			joined.WriteString(line)
		}
	}
	arrays := strings.NewReplacer(`["`, "", `", "`, " ", `"]`, "")
	for line := range strings.Lines(strings.ReplaceAll(joined.String(), "\\\n", " ")) {
		fields := strings.Fields(arrays.Replace(line))
		if len(fields) == 0 {
			continue
		}
		if fields[0] == "FROM" {
			stages = append(stages, nil)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{fields[0], fields[1:]})
	}
	if len(stages) != 2 {
		t.Fatalf("the Dockerfile has %d stages, one builds and one runs", len(stages))
	}
	return stages[0], stages[1]
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(repository + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// all returns what is given to each instruction of one word.
func (s stage) all(word string) (args [][]string) {
	for _, i := range s {
		if i.word == word {
			args = append(args, i.args)
		}
	}
	return args
}

// last is what is given to the last instruction of one word, the one that counts.
func (s stage) last(t *testing.T, word string) []string {
	t.Helper()
	args := s.all(word)
	if len(args) == 0 {
		t.Fatalf("the Dockerfile has no %s", word)
	}
	return args[len(args)-1]
}

// The golang images take no other toolchain than their own, and a binary needs the glibc that it was linked to, or a newer one.
func TestImageIsBuiltWhereItRuns(t *testing.T) {
	builds, runs := readDockerfile(t)
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readFile(t, "go.mod"))[1]
	suite, ok := strings.CutPrefix(builds[0].args[0], "golang:"+goVersion+"-")
	if !ok {
		t.Fatalf("the image is built by %s, and go.mod says go %s", builds[0].args[0], goVersion)
	}
	if got, want := runs[0].args[0], "debian:"+suite+"-slim"; got != want {
		t.Errorf("what is built on Debian %s runs on %s, want %s", suite, got, want)
	}
}

func TestImageCopiesWhatIsThere(t *testing.T) {
	builds, runs := readDockerfile(t)
	var binary []string
	for _, args := range append(builds.all("COPY"), runs.all("COPY")...) {
		if strings.HasPrefix(args[0], "--from=") {
			binary = args
			continue
		}
		for _, source := range args[:len(args)-1] {
			if _, err := os.Stat(repository + source); err != nil {
				t.Errorf("COPY %s: %v", strings.Join(args, " "), err)
			}
		}
	}

	build := builds.last(t, "RUN")
	want := []string{"--from=" + builds[0].args[2], build[slices.Index(build, "-o")+1], runs.last(t, "ENTRYPOINT")[0]}
	if !slices.Equal(binary, want) {
		t.Errorf("COPY %s, and what is built and run needs COPY %s", strings.Join(binary, " "), strings.Join(want, " "))
	}
	if _, err := os.Stat(repository + build[len(build)-1] + "/main.go"); err != nil {
		t.Errorf("what is built: %v", err)
	}
}

// What git ignores is not sent to the build; nothing else may be left out of it: git would take the commit for a changed one.
func TestImageHasNothingThatGitIgnores(t *testing.T) {
	ignored := readFile(t, ".gitignore")
	if got := readFile(t, ".dockerignore"); got != ignored {
		t.Errorf(".dockerignore says\n%s\n.gitignore says\n%s", got, ignored)
	}
	for line := range strings.Lines(ignored) {
		if !strings.HasPrefix(line, "/") {
			t.Errorf("%q: without a leading slash it is one file to Docker, and to git those of every folder", line)
		}
	}
}

func TestImageRunsAsAnOrdinaryUser(t *testing.T) {
	_, runs := readDockerfile(t)
	user, group, _ := strings.Cut(runs.last(t, "USER")[0], ":")
	if !regexp.MustCompile(`^[1-9]\d*$`).MatchString(user) {
		t.Errorf("USER %s: Kubernetes' runAsNonRoot needs a number, and not 0", user)
	}
	run := strings.Join(runs.last(t, "RUN"), " ")
	for _, want := range []string{"useradd --system --uid " + user + " --gid pgsluice ", "groupadd --system --gid " + group + " pgsluice "} {
		if !strings.Contains(run, want) {
			t.Errorf("the image runs as %s:%s, and RUN lacks %q", user, group, want)
		}
	}
}

// The image is started as the README says, with the configuration that it has inside.
func TestImageServes(t *testing.T) {
	_, runs := readDockerfile(t)
	command, rest, err := newRootCommand().Find(runs.last(t, "CMD"))
	if err != nil {
		t.Fatal(err)
	}
	if err := command.ParseFlags(rest); err != nil || command.Name() != "serve" {
		t.Fatalf("CMD runs %s: %v", command.Name(), err)
	}
	inside := command.Flag("config").Value.String()
	at := slices.IndexFunc(runs.all("COPY"), func(args []string) bool { return args[1] == inside })
	if at < 0 {
		t.Fatalf("CMD reads %s, and nothing is copied there", inside)
	}
	readme := readFile(t, "README.md")
	if !strings.Contains(readme, ":"+inside+":ro") {
		t.Errorf("README.md does not say how to put a configuration in the place of %s", inside)
	}

	environ := runs.last(t, "ENV")
	var published []string
	for _, option := range regexp.MustCompile(` -([ep]) (\S+)`).FindAllStringSubmatch(regexp.MustCompile(`(?m)^docker run -p .*`).FindString(readme), -1) {
		if option[1] == "e" {
			environ = append(environ, option[2])
		} else {
			published = append(published, option[2][strings.LastIndex(option[2], ":")+1:])
		}
	}
	config, unknown, err := source{file: repository + runs.all("COPY")[at][0], environ: environ}.load(knownRule)
	if err != nil || len(unknown) > 0 {
		t.Fatalf("%v: %v, unknown are %v", environ, err, unknown)
	}
	var ports []string
	for _, address := range append(slices.Clone(config.Listen), config.Metrics.Listen) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || !net.ParseIP(host).IsUnspecified() {
			t.Errorf("nobody outside of the container reaches %s", address)
		}
		ports = append(ports, port)
	}
	if exposed := runs.last(t, "EXPOSE"); !slices.Equal(exposed, ports) || !slices.Equal(published, ports) {
		t.Errorf("it listens on ports %v, the image exposes %v, and the README publishes %v", ports, exposed, published)
	}
}

// The image adds only certificates to Debian's smallest: the C parser may need no library but those of libc6.
func TestImageHasTheLibraries(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, err := elf.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range needed {
		switch name, _, _ := strings.Cut(library, ".so."); name {
		case "libc", "libm", "libdl", "libpthread", "libresolv", "librt":
		default:
			if !strings.HasPrefix(name, "ld-linux") {
				t.Errorf("%s is needed, which the image lacks", library)
			}
		}
	}
	if len(needed) == 0 {
		t.Error("no library is needed: the C parser is not what it was")
	}
}
