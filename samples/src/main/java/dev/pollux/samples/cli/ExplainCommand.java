package dev.pollux.samples.cli;

import dev.pollux.finetune.train.ExplainedRow;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows the trained tokens. */
@Command(
        name = "explain",
        description = {
            "Show which tokens of rows are trained: they are between ⟦ and ⟧.",
            "",
            "--json: {rows: [{row, trained, cut, tokens: [{id, text, trained}]}]}; cut is the number of tokens beyond"
                    + " --max-length."
        },
        footer = "  pollux train explain --base model --data train.jsonl --rows 3 --trained assistant")
final class ExplainCommand extends TrainingData {

    @Option(
            names = "--rows",
            order = 5,
            paramLabel = "N",
            description = "How many rows are shown. Default: ${DEFAULT-VALUE}.")
    private int rows = 3;

    @Override
    int execute() {
        List<ExplainedRow> explained = explain(rows);
        List<Map<String, Object>> shown = new ArrayList<>();
        for (ExplainedRow row : explained) {
            if (!json()) {
                output().line("row " + row.row() + ", " + row.trained() + " of "
                        + row.tokens().size() + " tokens are trained"
                        + (row.cut() == 0 ? "" : ", " + row.cut() + " are cut"));
                output().line(marked(row));
            }
            shown.add(tree(row));
        }
        if (json()) {
            output().json(Map.of("rows", shown));
        }
        return ExitCode.OK;
    }

    private static Map<String, Object> tree(ExplainedRow row) {
        List<Map<String, Object>> tokens = new ArrayList<>();
        for (ExplainedRow.Token token : row.tokens()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("id", token.id());
            one.put("text", token.text());
            one.put("trained", token.trained());
            tokens.add(one);
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("row", row.row());
        tree.put("trained", row.trained());
        tree.put("cut", row.cut());
        tree.put("tokens", tokens);
        return tree;
    }

    private static String marked(ExplainedRow row) {
        StringBuilder text = new StringBuilder();
        boolean open = false;
        for (ExplainedRow.Token token : row.tokens()) {
            if (token.trained() != open) {
                text.append(open ? "⟧" : "⟦");
                open = !open;
            }
            text.append(token.text());
        }
        return text.append(open ? "⟧" : "").toString();
    }
}
