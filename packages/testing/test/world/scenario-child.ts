import { runScenario } from "./scenario.js";

process.stdout.write(JSON.stringify(await runScenario(process.argv[2] ?? "")));
