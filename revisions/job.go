package revisions

import (
	"context"
	"crypto/hmac"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

var (
	//go:embed sql/job.sql
	jobSQL string
	//go:embed sql/list_jobs.sql
	listJobsSQL string
	//go:embed sql/find_job.sql
	findJobSQL string
	//go:embed sql/ended_job.sql
	endedJobSQL string
	//go:embed sql/adopt_job.sql
	adoptJobSQL string
	//go:embed sql/begin_job.sql
	beginJobSQL string
	//go:embed sql/beat_job.sql
	beatJobSQL string
	//go:embed sql/end_job.sql
	endJobSQL string
	//go:embed sql/steer_job.sql
	steerJobSQL string
)

// Stopped is the state of a job that is not done and that nobody works on: it can be gone on with. A job is never pending or failed.
const Stopped State = "stopped"

// StateElsewhere is the SQLSTATE of a checkpoint of a job that is not, or no longer, its backend's, or not where the checkpoint says.
const StateElsewhere = "PS004"

// mostOpenJobs is how many jobs a login may leave unfinished in a database.
const mostOpenJobs = 100

// ErrBusy means that another backend works on a job.
var ErrBusy = errors.New("another session works on the job")

// Job is a bulk write that runs in batches. All of it is signed.
type Job struct {
	// ID is a number of a nonce, so that no promise has the same.
	ID int64 `json:"id"`
	// Login and Role are whose rights it runs under: those of the nonce.
	Login Role `json:"login"`
	Role  Role `json:"role"`
	// Table is the OID of the table that the statement names.
	Table uint32 `json:"table"`
	// Fingerprint is the same for the same statement with the same parameters. Engine is the version of what makes batches of it.
	Fingerprint string `json:"fingerprint"`
	Engine      int    `json:"engine"`
	// Tag is the command: UPDATE or DELETE.
	Tag string `json:"tag"`
	// Asked is the client's statement as it may be shown: without secrets.
	Asked string `json:"asked"`
	// Work is JSON that the ledger does not look into, the parameters among it: it is struck when the job has ended. nil is null.
	Work json.RawMessage `json:"work"`
}

// jobContent is the part of a job that the server only carries.
type jobContent struct {
	Asked string          `json:"asked"`
	Work  json.RawMessage `json:"work,omitempty"`
}

// JobRow is a job as the ledger has it.
type JobRow struct {
	Job
	// TableName is the qualified name that the table has now, "" if it is gone.
	TableName string `json:"table_name"`
	State     State  `json:"state"`
	Steering
	// Reason is why it waits right now, "" while it does not.
	Reason string `json:"reason"`
	// SQLState and Message are why it was stopped; Message is the reason of a void job.
	SQLState string `json:"sqlstate"`
	Message  string `json:"message"`
	// Runner, PID and BackendStart are who works on it, or did last. Alive is true while that backend is there.
	Runner       string `json:"runner"`
	PID          int32  `json:"pid"`
	BackendStart int64  `json:"backend_start"`
	Alive        bool   `json:"alive"`
	// Heartbeat is the last sign of life; Started is when it was gone on with last.
	Heartbeat   time.Time    `json:"heartbeat"`
	Created     time.Time    `json:"created"`
	Started     time.Time    `json:"started"`
	Finished    *time.Time   `json:"finished"` // nil while it is open
	Checkpoints []Checkpoint `json:"checkpoints"`

	home    Home
	key     int32
	mac     string
	content string
}

// Checkpoint is how far a job is in one table.
type Checkpoint struct {
	Table uint32 `json:"table"`
	// Position is what the job makes of the last key that it has gone over, in ASCII.
	Position string `json:"position"`
	// Changed and Passed count the rows that were changed, and those that were gone over.
	Changed int64 `json:"changed"`
	Passed  int64 `json:"passed"`
	Batches int64 `json:"batches"`
	// Finished is true when nothing is left to do in the table.
	Finished bool `json:"finished"`
}

// Steering is what people want of a job.
type Steering struct {
	// Wanted is run, pause or cancel.
	Wanted string `json:"wanted"`
	// TargetTime is in milliseconds. Both are nil where the proxy's configuration holds.
	TargetTime *int     `json:"target_time"`
	NiceRatio  *float64 `json:"nice_ratio"`
}

// Changed and Batches are the sums over the job's tables.
func (r JobRow) Changed() (rows, batches int64) {
	for _, c := range r.Checkpoints {
		rows, batches = rows+c.Changed, batches+c.Batches
	}
	return rows, batches
}

// FindJob returns the open job that does the same as another, nil if there is none. It may have been begun by another engine.
func (l *Ledger) FindJob(ctx context.Context, like Job) (*JobRow, error) {
	return l.likeJob(ctx, findJobSQL, like)
}

// EndedJob returns the last of the jobs that do the same as another and are done or void, nil if there is none.
func (l *Ledger) EndedJob(ctx context.Context, like Job) (*JobRow, error) {
	return l.likeJob(ctx, endedJobSQL, like)
}

func (l *Ledger) likeJob(ctx context.Context, chosen string, like Job) (*JobRow, error) {
	rows, err := l.queryJobs(ctx, chosen, oid(like.Login.OID), oid(like.Role.OID), oid(like.Table), like.Fingerprint)
	if err != nil {
		return nil, fmt.Errorf("cannot look for the same job: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// AdoptJob makes an open job the runner's. ErrBusy: another backend works on it; ErrForged: somebody wrote or changed the row by hand;
// ErrLost: it is not open.
func (l *Ledger) AdoptJob(ctx context.Context, id int64, by Runner) (JobRow, error) {
	row, err := l.ShowJob(ctx, id)
	switch {
	case err != nil:
		return JobRow{}, err
	case row == nil || row.State != Running && row.State != Stopped:
		return JobRow{}, fmt.Errorf("cannot go on with job %d: %w", id, ErrLost)
	}
	if err := l.verifyJob(ctx, *row); err != nil {
		return JobRow{}, err
	}
	rows, err := l.queryJobs(ctx, adoptJobSQL, append([]string{strconv.FormatInt(id, 10)}, by.args()...)...)
	if err != nil {
		return JobRow{}, fmt.Errorf("cannot go on with job %d: %w", id, err)
	}
	if len(rows) == 0 {
		return *row, fmt.Errorf("job %d: %w", id, ErrBusy)
	}
	// Read anew: what the last runner wrote may have been committed between the two looks.
	if row, err = l.ShowJob(ctx, id); err != nil || row == nil {
		return JobRow{}, errors.Join(err, fmt.Errorf("cannot go on with job %d: %w", id, ErrLost))
	}
	return *row, nil
}

// BeginJob writes down a job that the runner is about to begin. ErrBusy: somebody has begun the same meanwhile.
func (l *Ledger) BeginJob(ctx context.Context, job Job, by Runner) error {
	content, err := asciiJSON(jobContent{job.Asked, job.Work})
	if err != nil {
		return fmt.Errorf("cannot begin job %d: %w", job.ID, err)
	}
	key := l.Key()
	mac, err := key.signJob(job, content)
	if err != nil {
		return fmt.Errorf("cannot begin job %d: %w", job.ID, err)
	}
	args := append(l.home.args(), strconv.FormatInt(job.ID, 10), oid(job.Login.OID), oid(job.Role.OID), oid(job.Table), job.Fingerprint,
		strconv.Itoa(job.Engine), job.Tag, content, strconv.Itoa(int(key.ID)), mac)
	ids, err := l.conn.Query(ctx, beginJobSQL, append(append(args, by.args()...), strconv.Itoa(mostOpenJobs))...)
	if err != nil {
		return fmt.Errorf("cannot begin job %d: %w", job.ID, err)
	}
	if len(ids) > 0 {
		return nil
	}
	if twin, err := l.FindJob(ctx, job); err != nil || twin != nil {
		return errors.Join(err, ErrBusy)
	}
	return fmt.Errorf("cannot begin a job: %s has left %d unfinished; see pgsluice jobs list", job.Login.Name, mostOpenJobs)
}

// BeatJob says that the runner is alive and why the job waits, "" if it does not, and returns what people want of it. ErrLost: it is not,
// or no longer, the runner's.
func (l *Ledger) BeatJob(ctx context.Context, id int64, by Runner, reason string) (Steering, error) {
	rows, err := queryRows[Steering](ctx, l.conn, beatJobSQL, append(append(l.home.args(), strconv.FormatInt(id, 10)), append(by.args(), reason)...)...)
	if err != nil {
		return Steering{}, fmt.Errorf("cannot write down that job %d is alive: %w", id, err)
	}
	if len(rows) == 0 {
		return Steering{}, fmt.Errorf("job %d: %w", id, ErrLost)
	}
	return rows[0], nil
}

// EndJob writes down that the runner has ended a job: Done, Void, or Stopped, which it can be gone on from. It can be repeated.
func (l *Ledger) EndJob(ctx context.Context, id int64, by Runner, outcome Outcome) error {
	return l.changeJob(ctx, "end", id, endJobSQL, append(by.args(), string(outcome.State), outcome.SQLState, outcome.Message)...)
}

// What the parameters of SteerJob are when nothing is to change, or the configuration is to hold again.
const (
	SameTime       = -1
	ConfiguredTime = 0
	SameNice       = -1.0
	ConfiguredNice = -2.0
)

// SteerJob tells an open job what people want of it: run, pause or cancel ("" is what they wanted before), its target time in milliseconds and its
// ratio of rest. A job to be cancelled that nobody works on becomes void at once, for the reason. ErrLost: it is not open.
func (l *Ledger) SteerJob(ctx context.Context, id int64, wanted string, milliseconds int, nice float64, reason string) error {
	return l.changeJob(ctx, "steer", id, steerJobSQL, wanted, strconv.Itoa(milliseconds), strconv.FormatFloat(nice, 'g', -1, 64), reason)
}

// Jobs returns the jobs of this database in these states, all if none is given, oldest first.
func (l *Ledger) Jobs(ctx context.Context, states ...State) ([]JobRow, error) {
	return l.listJobs(ctx, 0, states)
}

// ShowJob returns one job of this database, or nil if there is none with this id.
func (l *Ledger) ShowJob(ctx context.Context, id int64) (*JobRow, error) {
	rows, err := l.listJobs(ctx, id, nil)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func (l *Ledger) listJobs(ctx context.Context, id int64, states []State) ([]JobRow, error) {
	if len(states) == 0 {
		states = []State{Running, Stopped, Done, Void}
	}
	array, err := json.Marshal(states)
	if err != nil {
		return nil, err
	}
	rows, err := l.queryJobs(ctx, listJobsSQL, string(array), strconv.FormatInt(id, 10))
	if err != nil {
		return nil, fmt.Errorf("cannot list jobs: %w", err)
	}
	return rows, nil
}

func (l *Ledger) changeJob(ctx context.Context, verb string, id int64, sql string, args ...string) error {
	ids, err := l.conn.Query(ctx, sql, append(append(l.home.args(), strconv.FormatInt(id, 10)), args...)...)
	if err != nil {
		return fmt.Errorf("cannot %s job %d: %w", verb, id, err)
	}
	if len(ids) == 0 {
		return fmt.Errorf("cannot %s job %d: %w", verb, id, ErrLost)
	}
	return nil
}

// queryJobs runs a query that defines the CTE "chosen".
func (l *Ledger) queryJobs(ctx context.Context, chosen string, args ...string) ([]JobRow, error) {
	lines, err := queryRows[json.RawMessage](ctx, l.conn, chosen+jobSQL, append(l.home.args(), args...)...)
	if err != nil {
		return nil, err
	}
	rows := make([]JobRow, len(lines))
	for i, line := range lines {
		if err := rows[i].read(line); err != nil {
			return nil, fmt.Errorf("cannot read a job of the ledger: %w", err)
		}
	}
	return rows, nil
}

func (r *JobRow) read(line []byte) error {
	var signed struct {
		Home    Home   `json:"home"`
		Content string `json:"content"`
		Key     int32  `json:"key"`
		MAC     string `json:"mac"`
	}
	if err := json.Unmarshal(line, &signed); err != nil {
		return err
	}
	if err := json.Unmarshal(line, r); err != nil {
		return err
	}
	var content jobContent
	if err := json.Unmarshal([]byte(signed.Content), &content); err != nil {
		return fmt.Errorf("the content of job %d: %w", r.ID, err)
	}
	r.Asked, r.Work = content.Asked, content.Work
	r.home, r.content, r.key, r.mac = signed.Home, signed.Content, signed.Key, signed.MAC
	return nil
}

// verifyJob returns ErrForged unless the row is just what a proxy signed for this database.
func (l *Ledger) verifyJob(ctx context.Context, row JobRow) error {
	if _, known := l.keys[row.key]; !known { // made by a rotation after we opened the ledger?
		if err := l.readKeys(ctx); err != nil {
			return fmt.Errorf("cannot verify job %d: %w", row.ID, err)
		}
	}
	key, known := l.keys[row.key]
	if known && row.home == l.home {
		if mac, err := key.signJob(row.Job, row.content); err == nil && hmac.Equal([]byte(mac), []byte(row.mac)) {
			return nil
		}
	}
	return fmt.Errorf("job %d: %w", row.ID, ErrForged)
}

func (k Key) signJob(job Job, content string) (string, error) {
	if k.block == nil {
		return "", errors.New("cannot sign with the zero key")
	}
	message := field(nil, []byte("pgsluice.job"))
	for _, value := range []int64{
		k.Home.System, int64(k.Home.Database), int64(k.ID), job.ID, int64(job.Login.OID), int64(job.Role.OID), int64(job.Table), int64(job.Engine),
	} {
		message = number(message, value)
	}
	for _, text := range []string{job.Fingerprint, job.Tag, content} {
		message = field(message, []byte(text))
	}
	return k.seal(message), nil
}

// Reached is how far a batch has come, to be written down in its transaction.
type Reached struct {
	Job   int64
	Table uint32
	// Previous is the position before the batch, "" for none; Position the one behind it.
	Previous, Position string
	Changed, Passed    int64
	Finished           bool
}

// CheckpointSQL writes down how far a batch has come; its parameters are those of Sign. The answer is one row, a Steering as JSON. It is run on the client's
// connection in the transaction of the nonce. StateNotSigned means that the key was rotated, or that the call is not the proxy's;
// StateElsewhere that the job is not this backend's any more, or further on.
const CheckpointSQL = `SELECT pgsluice.checkpoint($1::bigint, $2::integer, $3::bigint, $4::pg_catalog.oid, $5::pg_catalog.text, $6::pg_catalog.text, ` +
	`$7::bigint, $8::bigint, $9::boolean, $10::pg_catalog.text)`

// Signed are the parameters of CheckpointSQL, as text, signed for the transaction of the nonce.
func (r Reached) Signed(key Key, n Nonce) ([]string, error) {
	if n.Home != key.Home {
		return nil, fmt.Errorf("%w: the key is of database %d of cluster %d, the client is in %d of %d",
			ErrCopied, key.Home.Database, key.Home.System, n.Database, n.System)
	}
	if key.block == nil {
		return nil, errors.New("cannot sign with the zero key")
	}
	finished := int64(0)
	if r.Finished {
		finished = 1
	}
	message := field(nil, []byte("pgsluice.checkpoint"))
	for _, value := range []int64{
		n.System, int64(n.Database), int64(key.ID), n.Number, int64(n.PID), n.BackendStart, int64(n.XID), int64(n.Login), int64(n.Role),
		r.Job, int64(r.Table),
	} {
		message = number(message, value)
	}
	message = field(message, []byte(r.Previous))
	message = field(message, []byte(r.Position))
	for _, value := range []int64{r.Changed, r.Passed, finished} {
		message = number(message, value)
	}
	return []string{
		strconv.FormatInt(n.Number, 10), strconv.Itoa(int(key.ID)), strconv.FormatInt(r.Job, 10), oid(r.Table), r.Previous, r.Position,
		strconv.FormatInt(r.Changed, 10), strconv.FormatInt(r.Passed, 10), strconv.FormatBool(r.Finished), key.seal(message),
	}, nil
}

// NonceSQL asks for a nonce, which ReadNonce reads from the answer.
const NonceSQL = "SELECT pgsluice.nonce()"

// ReadNonce reads the answer to NonceSQL.
func ReadNonce(answer string) (nonce Nonce, err error) {
	if err := json.Unmarshal([]byte(answer), &nonce); err != nil {
		return Nonce{}, fmt.Errorf("cannot read a nonce of the ledger: %w", err)
	}
	return nonce, nil
}

// Position is a key as checkpoints have it: JSON in ASCII, the same under any setting.
func Position(key []string) (string, error) { return asciiJSON(key) }
