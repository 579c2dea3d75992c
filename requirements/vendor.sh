#!/bin/sh
# Fetches the libraries of the sandbox's page as they were published. They are taken all together, and only if each is
# what vendored.txt says; for a newer version change it there, with the sum that is printed here when it is not the same.
set -eu
cd "$(dirname "$0")/.."
folder=gateway/provider/sandbox/page/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -v '^#' "$folder/vendored.txt" >"$work/wanted"
mkdir "$work/new"
while read -r package version path file sum; do
    if [ ! -d "$work/$package" ]; then
        mkdir "$work/$package"
        (cd "$work" && npm pack --silent "$package@$version" >/dev/null)
        tar xzf "$work/$package-$version.tgz" -C "$work/$package"
    fi
    cp "$work/$package/package/$path" "$work/new/$file"
    found=$(sha256sum "$work/new/$file" | cut -d' ' -f1)
    if [ "$found" != "$sum" ]; then
        echo "$file of $package $version is not what vendored.txt says: $found" >&2
        exit 1
    fi
done <"$work/wanted"
cp "$work"/new/* "$folder/"
echo "$(wc -l <"$work/wanted") files are as vendored.txt says."
