package dev.pollux.samples.cli;

import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.starter.DocumentTwin;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/** Lists what needs no file. */
@Command(
        name = "models",
        description = {
            "List the embedded models and adapters: those that --model and --adapter know by name.",
            "",
            "Each comes with a dependency on the class path and is unpacked into the cache when it is first used.",
            "",
            "--json: {models: [{name, title, file, bytes, sha256, license, base}]}; base is the model that an adapter"
                    + " changes, and empty for a model."
        },
        footer = "  pollux models")
final class ModelsCommand extends PolluxCommand {

    @Override
    int execute() {
        List<Map<String, Object>> models = new ArrayList<>();
        Report report = new Report();
        for (String name : EmbeddedModel.names()) {
            EmbeddedModel model = EmbeddedModel.named(name);
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("name", model.name());
            json.put("title", model.title());
            json.put("file", model.file());
            json.put("bytes", model.bytes());
            json.put("sha256", model.sha256());
            json.put("license", model.license());
            json.put("base", model.base().orElse(""));
            models.add(json);
            report.line(model.name() + "  " + model.title() + ", " + Texts.bytes(model.bytes()) + ", " + model.license()
                    + model.base().map(base -> ", adapter of " + base).orElse("")
                    + (name.equals(DocumentTwin.DEFAULT_MODEL) ? " (default)" : ""));
        }
        report.add("models", models, "").print(this);
        return ExitCode.OK;
    }
}
