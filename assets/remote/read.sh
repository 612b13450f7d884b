#!/bin/sh
# drydock-read PATH OFFSET LENGTH: bytes of a file
tail -c "+$(($2 + 1))" "$1" | head -c "$3"
