#!/bin/sh
# Makes the certificates of the tests of TLS. Run it in this folder; it needs OpenSSL 3.
# The keys protect nothing: the tests alone trust this issuer.
set -eu
folder=$(mktemp -d)
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
key "$folder/issuer.key"
key server.key
: > "$folder/index"
cat > "$folder/ca.cnf" <<END
[ca]
default_ca = test
[test]
database = $folder/index
new_certs_dir = $folder
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
END
sign() { # name, subject, key, extensions, from, until
    openssl req -new -key "$3" -subj "/CN=$2" -out "$folder/request.pem"
    printf '%b' "$4" > "$folder/extensions"
    openssl ca -batch -notext -config "$folder/ca.cnf" $7 -keyfile "$folder/issuer.key" -in "$folder/request.pem" \
        -startdate "$5" -enddate "$6" -extfile "$folder/extensions" -out "$1.pem"
}
leaf() { # name, subject alternative name, from, until
    sign "$1" "saldo test server" server.key "subjectAltName=$2\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n" \
        "$3" "$4" "-cert issuer.pem"
}
sign issuer "saldo test issuer" "$folder/issuer.key" "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n" \
    20200101000000Z 20991231235959Z -selfsign
leaf valid "DNS:localhost,IP:127.0.0.1,IP:::1" 20200101000000Z 20991231235959Z
leaf other_name "DNS:secret-internal-host.example" 20200101000000Z 20991231235959Z
leaf expired "DNS:localhost,IP:127.0.0.1" 20200101000000Z 20210203040506Z
leaf not_yet_valid "DNS:localhost,IP:127.0.0.1" 20900102030405Z 20991231235959Z
openssl req -x509 -new -key server.key -subj "/CN=localhost" -days 20000 -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
    -out own_issuer.pem
rm -rf "$folder"
