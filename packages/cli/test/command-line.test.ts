import { describe, expect, it } from "vitest";
import { suggestion } from "../src/suggest.js";
import { octopii } from "./support/in-process.js";

const commands = ["dev", "node", "status", "members", "transfer", "snapshot", "kv", "send", "receive", "certs", "wal"];

describe("octopii", () => {
  it.each([[["--help"]], [["-h"]], [["help"]]])("prints help for %j", async (args) => {
    const { code, stdout, stderr } = await octopii(...args);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it.each(commands)("prints the help of %s, with examples", async (name) => {
    const { code, stdout } = await octopii(name, "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^usage: octopii /m);
    expect(stdout).toMatch(/^examples?:$/m);
    expect((await octopii("help", name)).stdout).toBe(stdout);
  });

  it.each([...commands, ""])("fits the help of %j into a terminal", async (name) => {
    const { stdout } = await octopii(...[name, "--help"].filter(Boolean));
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("prints its version", async () => {
    expect((await octopii("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], 'A command is missing; see "octopii --help".'],
    [["stauts"], 'There is no command "stauts" (did you mean status?); see "octopii --help".'],
    [["constructor"], 'There is no command "constructor"; see "octopii --help".'],
    [["dev", "--nods", "3"], 'There is no option --nods (did you mean --nodes?); see "octopii dev --help".'],
    [["dev", "extra"], 'Unexpected argument "extra"; see "octopii dev --help".'],
    [["dev", "--nodes", "0"], '--nodes must be a whole number from 1 to 9, not "0"; see "octopii dev --help".'],
    [["dev", "--nodes", "3.5"], '--nodes must be a whole number from 1 to 9, not "3.5"; see "octopii dev --help".'],
    [["dev", "--base-port", "65535"], '--base-port must be a whole number from 1 to 65527, not "65535"; see "octopii dev --help".'],
    [["dev", "--json"], '--json goes with --once; see "octopii dev --help".'],
    [["dev", "--directory", ""], '--directory must be a path; see "octopii dev --help".'],
    [["node"], '--config FILE is missing; see "octopii node --help".'],
    [
      ["node", "--config", "x", "--log-level", "loud"],
      '--log-level must be one of trace, debug, info, warn, error; see "octopii node --help".',
    ],
    [["send", "--to", "a:1"], 'Name the files to send; see "octopii send --help".'],
    [["send", "x"], '--to ADDRESS is missing; see "octopii send --help".'],
    [["send", "x", "y", "--to", "a:1", "--name", "z"], '--name goes with one file; see "octopii send --help".'],
    [["receive"], '--config FILE is missing; see "octopii receive --help".'],
    [["receive", "--config", "x"], '--listen ADDRESS is missing; see "octopii receive --help".'],
    [
      ["receive", "--config", "x", "--listen", "a:1", "--count", "0"],
      '--count must be a whole number from 1 to 9007199254740991, not "0"; see "octopii receive --help".',
    ],
    [["wal"], 'What to do is missing: info, dump, verify, repair or tail; see "octopii wal --help".'],
    [["wal", "inof", "x"], 'wal cannot "inof" (did you mean info?); see "octopii wal --help".'],
    [["wal", "info"], 'wal info takes DIR; see "octopii wal --help".'],
    [["kv"], 'What to do is missing: put, get, del or keys; see "octopii kv --help".'],
    [["kv", "pit", "a"], 'kv cannot "pit" (did you mean put?); see "octopii kv --help".'],
    [["kv", "put", "a"], 'kv put takes KEY VALUE, or KEY --file FILE; see "octopii kv --help".'],
    [["kv", "put", "a", "b", "--file", "x"], 'kv put takes KEY VALUE, or KEY --file FILE; see "octopii kv --help".'],
    [["kv", "get"], 'kv get takes KEY; see "octopii kv --help".'],
    [["kv", "keys", "a", "b"], 'kv keys takes [PREFIX]; see "octopii kv --help".'],
    [["kv", "get", "a", "--config"], '--config needs a value; see "octopii kv --help".'],
    [["kv", "get", "a", "--config", "--json"], '--config needs a value; see "octopii kv --help".'],
    [["kv", "get", "a", "--json=yes"], '--json takes no value; see "octopii kv --help".'],
    [["kv", "get", "a", "--file", "x"], '--file goes with put; see "octopii kv --help".'],
    [
      ["status", "--config", "/nowhere.json"],
      "The configuration cannot be read: /nowhere.json does not exist; give the path of a JSON file.",
    ],
  ])("refuses %j in one sentence", async (args, sentence) => {
    expect(await octopii(...args)).toEqual({ code: 2, stdout: "", stderr: `octopii: ${sentence}\n` });
  });
});

describe("suggestions", () => {
  const known = ["put", "get", "status", "restart"];

  it.each([
    ["stauts", " (did you mean status?)"],
    ["RESTART", " (did you mean restart?)"],
    ["pt", " (did you mean put?)"],
    ["banana", ""],
    ["", ""],
  ])("for %j are %j", (word, expected) => {
    expect(suggestion(word, known)).toBe(expected);
  });
});
