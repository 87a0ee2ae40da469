// Reads events into the types that quicktype made, and writes them back, a line each.
import { Convert } from "./event";
declare const require: any, process: any;
const lines: string[] = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
process.stdout.write(lines.map(line => JSON.stringify(JSON.parse(Convert.eventToJson(Convert.toEvent(line)))) + "\n").join(""));
