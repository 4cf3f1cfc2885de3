#!/bin/sh
# What the browser tests need beside Python: a Chromium and a font with Chinese characters.
# Installs them on Debian-like machines with root; elsewhere says what is missing and goes on.
set -eu

missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
has_chinese_font() {
    if command -v fc-list >/dev/null 2>&1; then
        [ -n "$(fc-list :lang=zh-cn family)" ]
    else
        ls -d /usr/share/fonts/truetype/wqy /usr/share/fonts/opentype/noto >/dev/null 2>&1
    fi
}
has_chinese_font || missing="$missing fonts-wqy-microhei"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing $missing …" >&2
    # shellcheck disable=SC2086 # the words are meant to be split
    exec sh "$(dirname "$0")/packages.sh" $missing
fi
echo "Tests in a browser need $missing; install that to have them run." >&2
