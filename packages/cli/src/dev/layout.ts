import { join } from "node:path";

/** A certificate and its key, as files. */
export interface KeyPairPaths {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Where everything of one node lies. */
export interface NodePaths extends KeyPairPaths {
  readonly config: string;
  /** What the node must not forget. */
  readonly data: string;
  /** What its process said, of this life and earlier ones. */
  readonly log: string;
}

/** The files of a development cluster. */
export interface Layout {
  readonly directory: string;
  readonly manifest: string;
  readonly authority: KeyPairPaths;
  readonly client: KeyPairPaths & { readonly config: string };
  node(id: number): NodePaths;
}

/** @param directory - absolute. */
export function layoutOf(directory: string): Layout {
  const keyPair = (folder: string): KeyPairPaths => ({
    certificate: join(directory, folder, "certificate.pem"),
    privateKey: join(directory, folder, "private-key.pem"),
  });
  return {
    directory,
    manifest: join(directory, "cluster.json"),
    authority: keyPair("authority"),
    client: { ...keyPair("client"), config: join(directory, "client.json") },
    node: (id) => {
      const folder = join(directory, `node-${id}`);
      return { ...keyPair(`node-${id}`), config: join(folder, "config.json"), data: join(folder, "data"), log: join(folder, "log.txt") };
    },
  };
}
