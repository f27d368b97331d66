import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readClientConfig } from "../src/config/client-config.js";
import { readNodeConfig } from "../src/config/node-config.js";
import type { CliError } from "../src/errors.js";
import { temporaryDirectory } from "./support/directories.js";

const directory = temporaryDirectory();
for (const name of ["own.crt", "own.key", "authority.crt"]) writeFileSync(join(directory, name), `text of ${name}`);

const good = {
  cluster: "shop",
  id: 1,
  directory: "data",
  members: [{ id: 1, address: "10.0.0.1:7001" }],
  certificate: "own.crt",
  privateKey: "own.key",
  authorities: "authority.crt",
};

let files = 0;

function write(content: unknown): string {
  const path = join(directory, `config-${files++}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    const { code, details } = error as CliError;
    expect(code).toBe("OCTOPII_CLI_CONFIGURATION_INVALID");
    return details.problems as readonly string[];
  }
  return [];
}

describe("the configuration of a node", () => {
  it("takes paths relative to the file, and reads the credentials", () => {
    const options = readNodeConfig(write({ ...good, tickMs: 50, preVote: false }));
    const { cluster, id, members } = good;
    expect(options).toMatchObject({ cluster, id, members, directory: join(directory, "data"), tickMs: 50, preVote: false });
    expect(options.credentials).toEqual({
      certificate: "text of own.crt",
      privateKey: "text of own.key",
      authorities: "text of authority.crt",
    });
  });

  it("names every problem at once, each of them once", () => {
    const { directory: _, cluster: __, ...rest } = good;
    const path = write({
      ...rest,
      id: 0,
      authorities: "gone.crt",
      certificate: 7,
      color: "red",
      tickms: 5,
      electionTicks: "many",
      listenAddress: null,
    });
    expect(problemsOf(() => readNodeConfig(path))).toEqual([
      'there is no option "color"',
      'there is no option "tickms" (did you mean tickMs?)',
      "listenAddress must have a value; leave it out for the default",
      "directory must be a path, not missing",
      "certificate must be a path, not 7",
      `authorities: ${join(directory, "gone.crt")} does not exist`,
      "id must be a whole number above 0, not 0",
      "cluster must be 1 to 63 of a-z, 0-9 and -, not missing",
      "electionTicks must be a whole number above 0, not many",
    ]);
  });

  it.each([[3], [null], ["x"], [[1]], [[null]], [{ id: 1 }]])("refuses %j as members", (members) => {
    const problems = problemsOf(() => readNodeConfig(write({ ...good, members })));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^members must be a list such as /);
  });

  it("refuses members that contradict each other", () => {
    const members = [good.members[0], { id: 2, address: "10.0.0.1:7001" }, { id: 2, address: "nowhere" }];
    expect(problemsOf(() => readNodeConfig(write({ ...good, members })))).toEqual([
      'address "10.0.0.1:7001" is listed twice',
      'members[2].address must be host:port, not "nowhere"',
      "member 2 is listed twice",
    ]);
  });

  it.each([
    ["", "it is not JSON, it is empty"],
    ['{\n  "id" 1\n}', "it is not JSON, see line 2, column 8"],
    ["[]", "it must hold one JSON object"],
    ["null", "it must hold one JSON object"],
  ])("refuses %j", (text, problem) => {
    expect(problemsOf(() => readNodeConfig(write(text)))).toEqual([problem]);
  });

  it("refuses what cannot be read, or is far too large", () => {
    expect(() => readNodeConfig(directory)).toThrow(/is a directory; give the path of a JSON file/);
    writeFileSync(join(directory, "large.crt"), "x".repeat(2 * 1024 * 1024));
    expect(problemsOf(() => readNodeConfig(write({ ...good, certificate: "large.crt" })))).toEqual([
      `certificate: ${join(directory, "large.crt")} has 2097152 bytes, more than any such file needs`,
    ]);
    mkdirSync(join(directory, "folder"));
    expect(problemsOf(() => readNodeConfig(write({ ...good, privateKey: "folder" })))).toEqual([
      `privateKey: ${join(directory, "folder")} is a directory`,
    ]);
  });
});

describe("the configuration of a client", () => {
  const client = {
    cluster: "shop",
    addresses: ["10.0.0.1:7001"],
    certificate: "own.crt",
    privateKey: "own.key",
    authorities: "authority.crt",
  };

  it("is read", () => {
    expect(readClientConfig(write(client))).toMatchObject({ cluster: "shop", addresses: ["10.0.0.1:7001"] });
  });

  it("names every problem at once", () => {
    expect(
      problemsOf(() =>
        readClientConfig(write({ ...client, cluster: 1, addresses: [], connectTimeoutMs: 0, privateKey: undefined, id: 1 })),
      ),
    ).toEqual([
      'there is no option "id"',
      "cluster must be a name, not 1",
      "addresses must be a list of host:port, not []",
      "connectTimeoutMs must be a whole number above 0, not 0",
      "privateKey must be a path, not missing",
    ]);
  });
});
