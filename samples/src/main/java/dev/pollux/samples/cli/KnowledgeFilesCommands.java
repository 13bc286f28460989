package dev.pollux.samples.cli;

import dev.pollux.rag.knowledge.IndexReport;
import dev.pollux.rag.knowledge.KnowledgeBase;
import dev.pollux.rag.knowledge.VerifyReport;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The commands that maintain the files of a knowledge base. */
final class KnowledgeFilesCommands {

    private KnowledgeFilesCommands() {}

    /** Compares checksums. */
    @Command(
            name = "verify",
            description = {
                "Read every file of a knowledge base and compare it with its checksum.",
                "",
                "Nothing is changed, and other processes may read and write meanwhile. The exit code is 1 where a file is"
                        + " damaged or missing.",
                "",
                "--json: {knowledge, files, bytes, faults: [{file, problem, derived}], elapsedMillis}; 'pollux knowledge"
                        + " rebuild' mends what is derived."
            },
            footer = "  pollux knowledge verify ~/notes.kb")
    static final class Verify extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Override
        int execute() {
            VerifyReport found = run(KnowledgeBase.verifying(folder));
            Report report = new Report()
                    .add("knowledge", folder.toAbsolutePath().toString())
                    .add("files", found.files(), Texts.count(found.files()))
                    .add("bytes", found.bytes(), Texts.bytes(found.bytes()))
                    .add("faults", found.faults(), Texts.count(found.faults().size()))
                    .add("elapsedMillis", found.elapsed().toMillis(), "")
                    .text("elapsed", Texts.seconds(found.elapsed()));
            found.faults().forEach(fault -> report.line(fault.file() + " " + fault.problem()));
            report.print(this);
            if (found.isWhole()) {
                return ExitCode.OK;
            }
            output().note(
                            found.faults().stream().allMatch(VerifyReport.Fault::derived)
                                    ? "the documents are whole; 'pollux knowledge rebuild' makes the damaged files again"
                                    : "the index is damaged; delete the folder and ingest the documents again");
            return ExitCode.ERROR;
        }
    }

    /** Builds anew. */
    @Command(
            name = "rebuild",
            description = {
                "Make the vector files and graphs of a knowledge base again from its index.",
                "",
                "No model is needed, and no document is read.",
                "",
                "--json: {knowledge, segments, vectorFiles, graphs, bytes, elapsedMillis}."
            },
            footer = "  pollux knowledge rebuild ~/notes.kb")
    static final class Rebuild extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Override
        int execute() {
            try (KnowledgeBase knowledge = KnowledgeBase.open(folder)) {
                report(knowledge, run(knowledge.rebuild())).print(this);
            }
            return ExitCode.OK;
        }
    }

    /** Merges. */
    @Command(
            name = "compact",
            description = {
                "Merge the segments of a knowledge base into one without deleted passages, and build its vector file and its"
                        + " graph.",
                "",
                "It needs as much free space as the knowledge base has.",
                "",
                "--json: {knowledge, segments, vectorFiles, graphs, bytes, elapsedMillis}."
            },
            footer = "  pollux knowledge compact ~/notes.kb")
    static final class Compact extends PolluxCommand {

        @Parameters(index = "0", paramLabel = "KNOWLEDGE", description = "The folder of the knowledge base.")
        private Path folder = Path.of("");

        @Override
        int execute() {
            try (KnowledgeBase knowledge = KnowledgeBase.open(folder)) {
                report(knowledge, run(knowledge.compact())).print(this);
            }
            return ExitCode.OK;
        }
    }

    private static Report report(KnowledgeBase knowledge, IndexReport made) {
        return new Report()
                .add("knowledge", knowledge.folder().toString())
                .add("segments", made.segments(), Texts.count(made.segments()))
                .add("vectorFiles", made.vectorFiles(), Texts.count(made.vectorFiles()))
                .add("graphs", made.graphs(), Texts.count(made.graphs()))
                .add("bytes", made.bytes(), Texts.bytes(made.bytes()))
                .add("elapsedMillis", made.elapsed().toMillis(), "")
                .text("elapsed", Texts.seconds(made.elapsed()));
    }
}
