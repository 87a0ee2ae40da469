// Classes of a JSON Schema by Modelina: node modelina.js LANGUAGE SCHEMA FOLDER; tells how many there are, and how many without a name.
const fs = require("fs"), path = require("path");
const modelina = require("@asyncapi/modelina");
const [, , language, schema, folder] = process.argv;
const JSON_TAGS = { preset: modelina.GO_COMMON_PRESET, options: { addJsonTag: true } };
const GENERATORS = {
  ts: [modelina.TypeScriptGenerator, { modelType: "interface", enumType: "union", rawPropertyNames: true }, {}],
  java: [modelina.JavaGenerator, { presets: [modelina.JAVA_JACKSON_PRESET], collectionType: "List" }, { packageName: "org.wiredesk.models" }],
  go: [modelina.GoGenerator, { presets: [JSON_TAGS] }, { packageName: "main" }],
  py: [modelina.PythonGenerator, { presets: [modelina.PYTHON_PYDANTIC_PRESET] }, {}],
};
(async () => {
  const [Generator, options, complete] = GENERATORS[language];
  const models = await new Generator(options).generateCompleteModels(JSON.parse(fs.readFileSync(schema)), complete);
  fs.mkdirSync(folder, { recursive: true });
  for (const model of models) fs.writeFileSync(path.join(folder, `${model.modelName}.${language}`), model.result);
  console.log(JSON.stringify({ classes: models.length, nameless: models.filter(model => /anonymous/i.test(model.modelName)).length }));
})();
