/** Reports every rejection that nobody handles, until the function that it gives is called. */
export function watchStrayRejections(report: (reason: unknown) => void): () => void {
  process.on("unhandledRejection", report);
  return () => {
    process.off("unhandledRejection", report);
  };
}
