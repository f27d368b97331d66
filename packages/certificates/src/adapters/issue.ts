import { createPrivateKey, webcrypto } from "node:crypto";

/** Everything about a certificate to be made that its caller decides. */
export interface CertificateRequest {
  /** The common name of the subject. */
  readonly commonName: string;
  /** URI and DNS names for the subject alternative name. */
  readonly uri: string;
  readonly dnsName: string | null;
  readonly authority: boolean;
  readonly serverUse: boolean;
  readonly clientUse: boolean;
  /** 16 bytes; the sign bit is cleared here. */
  readonly serialNumber: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A certificate and its private key (PKCS #8), both PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" };

type X509 = typeof import("@peculiar/x509");

/** Loaded when the first certificate is made: the library needs a global Reflect polyfill, which mere readers of certificates are spared. */
async function loadX509(): Promise<X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

function serialNumberText(bytes: Uint8Array): string {
  const positive = Uint8Array.from(bytes);
  // RFC 5280 section 4.1.2.2: positive, at most 20 octets. A set second bit keeps the length fixed.
  positive[0] = ((positive[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(positive).toString("hex");
}

async function extensionsOf(x509: X509, request: CertificateRequest, publicKey: webcrypto.CryptoKey, issuerKey: webcrypto.CryptoKey) {
  const crypto = webcrypto;
  const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const alternatives: { type: "url" | "dns"; value: string }[] = [{ type: "url", value: request.uri }];
  if (request.dnsName !== null) alternatives.push({ type: "dns", value: request.dnsName });
  const usages = [
    ...(request.serverUse ? [x509.ExtendedKeyUsage.serverAuth] : []),
    ...(request.clientUse ? [x509.ExtendedKeyUsage.clientAuth] : []),
  ];
  return [
    // A path length of 0: this authority signs leaves only.
    request.authority ? new x509.BasicConstraintsExtension(true, 0, true) : new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(request.authority ? keyCertSign | cRLSign : digitalSignature, true),
    ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages)] : []),
    new x509.SubjectAlternativeNameExtension(alternatives),
    await x509.SubjectKeyIdentifierExtension.create(publicKey, false, crypto),
    await x509.AuthorityKeyIdentifierExtension.create(issuerKey, false, crypto),
  ];
}

async function build(
  request: CertificateRequest,
  issuer: { name: string | null; keys: webcrypto.CryptoKeyPair } | null,
): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  const crypto = webcrypto;
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const signer = issuer?.keys ?? keys;
  const subject = [{ CN: [request.commonName] }];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumberText(request.serialNumber),
      subject,
      issuer: issuer?.name ?? subject,
      notBefore: new Date(request.notBeforeMs),
      notAfter: new Date(request.notAfterMs),
      signingAlgorithm,
      publicKey: keys.publicKey,
      signingKey: signer.privateKey,
      extensions: await extensionsOf(x509, request, keys.publicKey, signer.publicKey),
    },
    crypto,
  );
  const privateKey = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { certificate: `${certificate.toString("pem").trim()}\n`, privateKey: `${privateKey.trim()}\n` };
}

/** Makes a key pair and a certificate for it that it signs itself. */
export function issueSelfSigned(request: CertificateRequest): Promise<IssuedCertificate> {
  return build(request, null);
}

/** Makes a key pair and a certificate for it that `authority` signs. The authority's key and certificate must belong together. */
export async function issueSigned(request: CertificateRequest, authority: IssuedCertificate): Promise<IssuedCertificate> {
  const x509 = await loadX509();
  const crypto = webcrypto;
  const pkcs8 = createPrivateKey(authority.privateKey).export({ type: "pkcs8", format: "der" });
  const certificate = new x509.X509Certificate(authority.certificate);
  const keys = {
    privateKey: await crypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), algorithm, false, ["sign"]),
    publicKey: await certificate.publicKey.export(algorithm, ["verify"], crypto),
  };
  return build(request, { name: certificate.subject, keys });
}
