#!/bin/sh
# Reports on one text file with nothing but POSIX tools: lines, words, bytes, its digest, the
# longest line and the most frequent words. Reads /inputs, writes /outputs.
set -eu

input=${1:-/inputs/text}
output=${2:-/outputs}

if [ ! -r "$input" ]; then
  echo "error: no input at $input; pass one with --input text=FILE" >&2
  exit 2
fi

# The order of sort must not depend on the machine's language.
export LC_ALL=C

echo "progress 0 counting"
{
  echo "lines $(wc -l <"$input" | tr -d ' ')"
  echo "words $(wc -w <"$input" | tr -d ' ')"
  echo "bytes $(wc -c <"$input" | tr -d ' ')"
  echo "sha256 $(sha256sum <"$input" | cut -d ' ' -f 1)"
} >"$output/report.txt"

echo "progress 40 measuring lines"
awk 'length($0) > longest { longest = length($0); at = NR }
     END { printf "longest_line %d at line %d\n", longest, at }' "$input" >>"$output/report.txt"

echo "progress 60 counting words"
tr -cs 'A-Za-z' '\n' <"$input" | tr 'A-Z' 'a-z' | grep -v '^$' | sort | uniq -c |
  sort -k1,1nr -k2,2 | head -n 50 | awk '{ print $2 "\t" $1 }' >"$output/words.tsv"

echo "progress 100 done"
cat "$output/report.txt"
