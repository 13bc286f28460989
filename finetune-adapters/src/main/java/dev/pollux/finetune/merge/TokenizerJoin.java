package dev.pollux.finetune.merge;

import dev.pollux.finetune.internal.model.InputModel;
import dev.pollux.finetune.internal.model.RowTensor;
import dev.pollux.inference.internal.ArrayNode;
import dev.pollux.inference.internal.ObjectNode;
import dev.pollux.merging.ModelReference;
import dev.pollux.merging.TokenizerChoice;
import dev.pollux.merging.TokenizerChoice.OtherToken;
import dev.pollux.merging.TokenizerChoice.SameToken;
import dev.pollux.merging.TokenizerChoice.TokenRule;
import dev.pollux.merging.TokenizerChoice.TokenSource;
import dev.pollux.tensor.TensorSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A tokenizer for several models, and the source of each token's embedding in each model.
 *
 * <p>The first matching row of this table gives the embedding of a token in a model:
 *
 * <table><caption>Embeddings</caption>
 * <tr><td>the model has the token, and its rule is not forced<td>the model's own embedding</tr>
 * <tr><td>the token has a rule with a source<td>the source of the rule</tr>
 * <tr><td>one model has the token<td>the embedding of that model</tr>
 * <tr><td>the base has the token<td>the embedding of the base</tr>
 * <tr><td>several models have the token<td>the mean of their embeddings</tr>
 * <tr><td>no model has the token<td>zeros</tr>
 * </table>
 */
final class TokenizerJoin {
    /*
     * Ids: the owner (first model, base, or the named one) keeps its ids. New tokens get ids from max + 1 on: for "union"
     * first the vocabulary tokens of all models in order, then their added tokens, then the tokens that only rules name. All
     * new tokens become added_tokens, because a token of one BPE vocabulary has no merges in another. The rows are
     *
     *   rows = ceil((max id + 1) / padToMultipleOf) · padToMultipleOf
     *
     * and rows without a token get the mean of the others (RowTensor). A token counts as present in a model only if the
     * embedding has its row.
     */

    private final List<InputModel> models;
    private final List<TokenTable> tables;
    private final boolean base;
    private final InputModel owner;
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final Map<String, TokenRule> rules;
    private final ObjectNode json;
    private final int rows;
    private final Problems problems;
    private int next;

    private TokenizerJoin(TokenizerChoice choice, List<InputModel> models, boolean base, Problems problems) {
        this.models = models;
        this.base = base;
        this.problems = problems;
        this.rules = choice.tokens();
        this.tables = models.stream().map(TokenTable::of).toList();
        boolean union = choice.source().equals(TokenizerChoice.UNION);
        int first = union || choice.source().equals(TokenizerChoice.BASE) ? 0 : indexOf(choice.source());
        if (first < 0) {
            problems.fatal("the tokenizer comes from " + choice.source()
                    + ", which is not part of the merge; name one of its models, base or union");
            first = 0;
        }
        this.owner = models.get(first);
        this.json = tables.get(first).json().deepCopy();
        takeFirst(tables.get(first));
        next = ids.values().stream().mapToInt(id -> id + 1).max().orElse(0);
        if (union) {
            addOthers();
        }
        rules.keySet().forEach(token -> add(token, Optional.empty()));
        rules.forEach(this::check);
        int multiple = choice.padToMultipleOf().orElse(1);
        this.rows = (int) Math.min((next + (long) multiple - 1) / multiple * multiple, Integer.MAX_VALUE);
    }

    /**
     * @param models the models, the base first if there is one
     * @param base whether there is one
     */
    static TokenizerJoin of(TokenizerChoice choice, List<InputModel> models, boolean base, Problems problems) {
        return new TokenizerJoin(choice, models, base, problems);
    }

    /** The tokenizer, as a {@code tokenizer.json}. */
    ObjectNode json() {
        return json;
    }

    /** The model that provides the first tokens. */
    InputModel owner() {
        return owner;
    }

    /** The number of embedding rows, including padding. */
    int rows() {
        return rows;
    }

    /** Adds the owner's tokens, except those without an embedding row. */
    private void takeFirst(TokenTable table) {
        int limit = owner.config().path("vocab_size").asInt(Integer.MAX_VALUE);
        table.ids().forEach((token, id) -> {
            if (id < limit) {
                ids.put(token, id);
            }
        });
        if (ids.size() < table.ids().size()) {
            problems.notice((table.ids().size() - ids.size()) + " tokens of " + owner.label()
                    + " have no row in its embedding and are left out");
            ArrayNode kept = new ArrayNode();
            table.added().forEach((token, entry) -> {
                if (ids.containsKey(token)) {
                    kept.add(entry.deepCopy());
                }
            });
            json.set("added_tokens", kept);
            if (json.path("model").path("vocab") instanceof ObjectNode vocabulary) {
                vocabulary.retain(ids.keySet());
                dropMerges();
            }
        }
    }

    /** Removes the merges of a BPE model that need a removed token. */
    private void dropMerges() {
        if (json.path("model").path("merges") instanceof ArrayNode merges) {
            merges.removeIf(merge -> {
                String[] pair = merge.isString()
                        ? merge.asString().split(" ", 2)
                        : new String[] {merge.path(0).asString(), merge.path(1).asString()};
                return !(ids.containsKey(pair[0]) && ids.containsKey(pair[1]) && ids.containsKey(pair[0] + pair[1]));
            });
        }
    }

    private void addOthers() {
        for (TokenTable table : tables) {
            table.ids().keySet().stream()
                    .filter(token -> !table.added().containsKey(token))
                    .forEach(token -> add(token, Optional.empty()));
        }
        Map<String, ObjectNode> seen = new LinkedHashMap<>();
        for (TokenTable table : tables) {
            table.added().forEach((token, entry) -> {
                add(token, Optional.of(entry));
                ObjectNode other = seen.putIfAbsent(token, entry);
                if (other != null && !sameSettings(other, entry)) {
                    problems.notice("token " + token + " has different settings in several models; the first are used");
                }
            });
        }
    }

    private static boolean sameSettings(ObjectNode a, ObjectNode b) {
        return a.deepCopy().without("id").equals(b.deepCopy().without("id"));
    }

    private void add(String token, Optional<ObjectNode> like) {
        if (ids.containsKey(token)) {
            return;
        }
        int id = next++;
        ids.put(token, id);
        ObjectNode entry = like.map(ObjectNode::deepCopy).orElseGet(() -> plain(token));
        entry.put("id", id);
        if (!(json.get("added_tokens") instanceof ArrayNode)) {
            json.putArray("added_tokens");
        }
        ((ArrayNode) json.path("added_tokens")).add(entry);
    }

    private static ObjectNode plain(String token) {
        ObjectNode entry = new ObjectNode();
        entry.put("id", 0);
        entry.put("content", token);
        List.of("single_word", "lstrip", "rstrip").forEach(flag -> entry.put(flag, false));
        entry.put("normalized", true);
        entry.put("special", false);
        return entry;
    }

    private void check(String token, TokenRule rule) {
        Optional<ModelReference> from = rule.source().flatMap(TokenizerJoin::model);
        if (from.isPresent() && indexOf(from.get().toString()) < 0) {
            problems.fatal("token " + token + " takes its embedding from " + from.get()
                    + ", which is not part of the merge; name one of its models");
        } else if (from.isPresent() && row(token, rule.source().orElseThrow()) < 0) {
            problems.fatal("token " + token + " takes its embedding from a token of " + from.get()
                    + " that it does not have; name one of its tokens");
        }
    }

    private static Optional<ModelReference> model(TokenSource source) {
        if (source instanceof SameToken same) {
            return Optional.of(same.model());
        }
        return source instanceof OtherToken other ? Optional.of(other.model()) : Optional.empty();
    }

    private int indexOf(String model) {
        for (int i = 0; i < models.size(); i++) {
            if (models.get(i).label().equals(model)) {
                return i;
            }
        }
        return -1;
    }

    /** The row that a rule selects in its model; −1 if there is none. */
    private int row(String token, TokenSource source) {
        int model =
                model(source).map(reference -> indexOf(reference.toString())).orElse(-1);
        if (model < 0) {
            return -1;
        }
        if (source instanceof OtherToken other && other.id().isPresent()) {
            return other.id().getAsInt();
        }
        String name = source instanceof OtherToken other ? other.token().orElse(token) : token;
        return tables.get(model).ids().getOrDefault(name, -1);
    }

    /** Returns the rows of {@code tensor} in the order of this tokenizer; {@code own} is the tensor of {@code model}. */
    TensorSource rows(InputModel model, TensorSource own, String tensor) {
        List<TensorSource> sources = new ArrayList<>();
        for (InputModel other : models) {
            sources.add(other == model ? own : other.tensor(tensor).orElse(own));
        }
        int self = models.indexOf(model);
        RowTensor.Rows map = new RowTensor.Rows(rows);
        ids.forEach((token, id) -> place(token, id, self, sources, map));
        return new RowTensor(sources, map, own.shape().get(1).intValue(), own.label());
    }

    private void place(String token, int id, int self, List<TensorSource> sources, RowTensor.Rows map) {
        Optional<TokenRule> rule = Optional.ofNullable(rules.get(token));
        int own = rowIn(self, token, sources);
        if (own >= 0 && !rule.map(TokenRule::force).orElse(false)) {
            map.take(id, self, own);
            return;
        }
        Optional<TokenSource> source = rule.flatMap(TokenRule::source);
        if (source.isPresent()) {
            int from = model(source.get())
                    .map(reference -> indexOf(reference.toString()))
                    .orElse(-1);
            int row = row(token, source.get());
            if (from >= 0 && row >= sources.get(from).shape().get(0)) {
                problems.fatal("token " + token + " takes row " + row + " of "
                        + models.get(from).label() + ", whose embedding has "
                        + sources.get(from).shape().get(0));
            } else if (from >= 0 && row >= 0) {
                map.take(id, from, row);
            } else {
                map.zero(id);
            }
            return;
        }
        List<Integer> having = new ArrayList<>();
        for (int m = 0; m < models.size(); m++) {
            if (rowIn(m, token, sources) >= 0) {
                having.add(m);
            }
        }
        if (having.isEmpty()) {
            map.zero(id);
            problems.notice("token " + token + " is in none of the models; its embedding is zero");
        } else if (having.size() == 1 || base && having.get(0) == 0) {
            map.take(id, having.get(0), rowIn(having.get(0), token, sources));
        } else {
            int[] rowsOf =
                    having.stream().mapToInt(m -> rowIn(m, token, sources)).toArray();
            map.mean(id, having.stream().mapToInt(Integer::intValue).toArray(), rowsOf);
        }
    }

    private int rowIn(int model, String token, List<TensorSource> sources) {
        int row = tables.get(model).ids().getOrDefault(token, -1);
        return row < sources.get(model).shape().get(0) ? row : -1;
    }
}
