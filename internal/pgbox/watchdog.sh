# Runs beside a throwaway server, as the leader of the process group that initdb and the postmaster are in.
# Standard input is a pipe that only pgsluice can close, and it closes however pgsluice ends; then nothing may be left.
# The arguments are the folders to remove.
cat >/dev/null
trap '' QUIT
kill -QUIT 0 # the postmaster calls this an immediate shutdown, initdb gives up
for attempt in 1 2 3 4 5 6 7 8 9 10; do
	rm -rf -- "$@" && exit 0 # fails while a process that is ending still writes there
	sleep 1
done
exit 1
