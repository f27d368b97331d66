/** The milliseconds since 1970 of a certificate's `validFrom` or `validTo`, which OpenSSL writes as `Nov 22 19:26:00 2026 GMT`. */
export function parseValidity(text: string): number {
  return Date.parse(text);
}
