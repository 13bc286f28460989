package dev.pollux.samples.cli;

import java.util.List;
import picocli.CommandLine;

/** The commands by name. */
final class Commands {

    /*
     * picocli reads the annotations of a command and of its options by reflection. For all commands together this takes longer
     * than many of them run, so a process reads the one that it is called for. Help, and advice on a mistyped name, need all.
     */

    /** In the order of the help. */
    static final List<String> NAMES = List.of(
            "ask",
            "chat",
            "ingest",
            "search",
            "knowledge",
            "generate",
            "export",
            "merge",
            "merge-adapters",
            "extract-lora",
            "export-lora",
            "collect-gram",
            "collect-fisher",
            "merge-moe",
            "quantize",
            "train",
            "evaluate",
            "inspect",
            "bench",
            "fetch",
            "models");

    private Commands() {}

    /** @param called name of the command to add; if there is none of this name, all are added */
    static CommandLine added(CommandLine pollux, String called) {
        for (String name : NAMES.contains(called) ? List.of(called) : NAMES) {
            pollux.addSubcommand(command(name));
        }
        return pollux;
    }

    private static Object command(String name) {
        return switch (name) {
            case "ask" -> new AskCommand();
            case "chat" -> new ChatCommand();
            case "ingest" -> new IngestCommand();
            case "search" -> new SearchCommand();
            case "knowledge" -> new KnowledgeCommand();
            case "generate" -> new GenerateCommand();
            case "export" -> new ExportCommand();
            case "merge" -> new MergeCommand();
            case "merge-adapters" -> new MergeAdaptersCommand();
            case "extract-lora" -> new ExtractLoraCommand();
            case "export-lora" -> new ExportLoraCommand();
            case "collect-gram" -> new CollectGramCommand();
            case "collect-fisher" -> new CollectFisherCommand();
            case "merge-moe" -> new MergeMoeCommand();
            case "quantize" -> new QuantizeCommand();
            case "train" -> new TrainCommand();
            case "evaluate" -> new EvaluateCommand();
            case "inspect" -> new InspectCommand();
            case "bench" -> new BenchCommand();
            case "fetch" -> new FetchCommand();
            case "models" -> new ModelsCommand();
            default -> throw new IllegalArgumentException("There is no command " + name);
        };
    }
}
