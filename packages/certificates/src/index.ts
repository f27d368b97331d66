/**
 * A cluster authority, certificates for its nodes and clients, and the check of a peer's chain.
 *
 * @packageDocumentation
 */
export type { IssuedCertificate } from "./adapters/issue.js";
export { type CertificatePorts, createAuthority, issueClientCertificate, issueNodeCertificate } from "./authority.js";
export { type CertificateInfo, readCertificate } from "./certificate-info.js";
export { CertificatesError, type CertificatesErrorCode, isCertificatesError } from "./errors.js";
export { type IdentifyOptions, identifyForCluster } from "./identify.js";
export { nodeServerName } from "./names.js";
export { type AuthorityOptions, type ClientCertificateOptions, certificateDefaults, type NodeCertificateOptions } from "./options.js";
export { checkValidity, type ValidityOptions, type ValidityReport } from "./validity.js";
