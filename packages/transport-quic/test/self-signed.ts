import type { IssuedCertificate } from "@octopii/certificates";

/** A node's certificate that no authority signed but its own key, good for a hundred years. It opens nothing anywhere. */
export const selfSigned: IssuedCertificate = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIB4DCCAYagAwIBAgIUX7T8RhboTNuHWtjc79lZSH1MnJYwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9kZS03MCAXDTI2MTEyMzA2NDEwM1oYDzIxMjYxMDMwMDY0
MTAzWjARMQ8wDQYDVQQDDAZub2RlLTcwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQgt8cxfW8hYB7d8ALCxwB2jQ9t7CnhHue3sHpmnV0lt7uURXL2y3rhPh4R6D+e
IUTIHUsfMkqqo3NO27AztWaTo4G5MIG2MB0GA1UdDgQWBBQnk3Pv5+b+zTIBt1Ob
S+UtxdvnmjAfBgNVHSMEGDAWgBQnk3Pv5+b+zTIBt1ObS+UtxdvnmjA3BgNVHREE
MDAuhhVvY3RvcGlpOi8vcmVlZi9ub2RlLzeCFW5vZGUub2N0b3BpaS5pbnRlcm5h
bDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwDgYDVR0PAQH/BAQDAgeA
MAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAwRQIgChV6xWUlJRZMES2Zx5Ay
nMqRUOUI/j7+TpbEQbZGB1MCIQC91zSry2L3wZerFdCUFqPD/vhRuwmhnGs1vg0J
VV9Jmw==
-----END CERTIFICATE-----
`,
  privateKey: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWzgjqDoKaaEbVlyC
SsP30s3L8CEK18Lv2xCJPOOqnEahRANCAAQgt8cxfW8hYB7d8ALCxwB2jQ9t7Cnh
Hue3sHpmnV0lt7uURXL2y3rhPh4R6D+eIUTIHUsfMkqqo3NO27AztWaT
-----END PRIVATE KEY-----
`,
};
