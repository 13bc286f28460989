package dev.pollux.samples.cli;

import dev.pollux.inference.gguf.GgufExport;
import dev.pollux.inference.gguf.GgufOptions;
import dev.pollux.inference.gguf.GgufPreview;
import dev.pollux.inference.gguf.GgufReport;
import dev.pollux.inference.gguf.GgufTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The GGUF file that {@code quantize --to gguf} writes.
 *
 * @param dryRun whether it is only described
 */
record GgufTarget(Path model, Path target, boolean dryRun) {

    /** Writes the file and prints the report. */
    int write(PolluxCommand command, GgufOptions options) {
        if (dryRun) {
            report(GgufExport.plan(model, options)).print(command);
            return ExitCode.OK;
        }
        GgufReport done = command.run(GgufExport.job(model, target, options));
        report(done.content())
                .add("elapsedMillis", done.elapsed().toMillis(), Texts.seconds(done.elapsed()))
                .print(command);
        return ExitCode.OK;
    }

    private Report report(GgufPreview content) {
        List<Map<String, Object>> tensors = new ArrayList<>();
        Map<String, Integer> types = new TreeMap<>();
        for (GgufTensor tensor : content.tensors()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", tensor.name());
            one.put("shape", tensor.shape());
            one.put("type", tensor.type().name());
            one.put("bytes", tensor.bytes());
            tensors.add(one);
            types.merge(tensor.type().name(), 1, Integer::sum);
        }
        Report report = new Report()
                .add("model", model.toString())
                .add("target", target.toString())
                .add("dryRun", dryRun, dryRun ? "nothing is written" : "")
                .add("architecture", content.architecture())
                .add("bytesBefore", content.bytesBefore(), Texts.bytes(content.bytesBefore()))
                .add("bytes", content.bytes(), Texts.bytes(content.bytes()))
                .add("tensors", tensors, "")
                .add("notices", content.notices(), "");
        types.forEach((type, count) -> report.text(count + " tensors", type));
        if (dryRun) {
            content.notices().forEach(notice -> report.text("notice", notice));
        }
        return report;
    }
}
