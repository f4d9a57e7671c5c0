# Sourced. c_files FOLDER...: our C sources and headers below the folders, new ones included.
c_files() {
    git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r f; do
        case $f in *.[ch]) if [ -f "$f" ]; then echo "$f"; fi ;; esac
    done
}

# Those of them that differ from the commit LINT_BASE (default: the last one), committed or not.
changed_files() {
    base=${LINT_BASE:-HEAD}
    { git diff --name-only "$base" -- "$@"; git ls-files -o --exclude-standard -- "$@"; } | sort -u | while read -r f; do
        case $f in *.[ch]) if [ -f "$f" ]; then echo "$f"; fi ;; esac
    done
}
