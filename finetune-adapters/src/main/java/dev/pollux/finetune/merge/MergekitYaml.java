package dev.pollux.finetune.merge;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.merging.MergePlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * Reads merge plans in mergekit's YAML format.
 *
 * <p>Several documents in one file are stages. Documents with a {@code name} can be models of others. The document without a
 * name or, if all have names, the last one is the result. Errors in a plan's content become findings of the plan, and {@link
 * dev.pollux.merging.ModelMerger#plan} reports them with all other problems. <em>Thread-safe.</em>
 */
public final class MergekitYaml {

    private static final int MAX_CHARACTERS = 1 << 20;
    private static final int MAX_DOCUMENTS = 100;

    private MergekitYaml() {}

    /**
     * Reads a plan from a file of at most 1 MiB.
     *
     * @throws MalformedFileException if it is not YAML; the message has line and column
     */
    public static MergePlan read(Path file) {
        try {
            if (Files.size(file) > MAX_CHARACTERS) {
                throw new MalformedFileException(file + " must be at most " + MAX_CHARACTERS + " bytes");
            }
            return parse(text(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /** Decodes UTF-8, or UTF-16 with a byte order mark, as Windows shells write it. */
    private static String text(byte[] bytes) {
        boolean marked = bytes.length >= 2
                && ((bytes[0] & 0xff) == 0xff && (bytes[1] & 0xff) == 0xfe
                        || (bytes[0] & 0xff) == 0xfe && (bytes[1] & 0xff) == 0xff);
        return new String(bytes, marked ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8);
    }

    /**
     * Parses a plan of at most 1 MiB.
     *
     * @throws MalformedFileException if it is not YAML; the message has line and column
     */
    public static MergePlan parse(String yaml) {
        if (yaml.length() > MAX_CHARACTERS) {
            throw new MalformedFileException("A merge plan must be at most " + MAX_CHARACTERS + " characters");
        }
        List<MergePlan> plans = new ArrayList<>();
        boolean json = yaml.replaceFirst("^\\ufeff", "").stripLeading().startsWith("{");
        for (Object document : documents(json ? yaml.replace('\t', ' ') : yaml)) { // JSON may have tabs
            plans.add(new PlanReader().read(document));
        }
        if (plans.isEmpty()) {
            throw new MalformedFileException("The merge plan is empty; give models and merge_method");
        }
        MergePlan last = plans.stream()
                .filter(plan -> plan.name().isEmpty())
                .reduce((first, second) -> second)
                .orElse(plans.get(plans.size() - 1));
        plans.remove(last);
        return last.after(inOrder(plans));
    }

    /** Sorts stages after those whose results they use. Cycles stay as they are: their names are not models yet. */
    private static List<MergePlan> inOrder(List<MergePlan> stages) {
        List<MergePlan> waiting = new ArrayList<>(stages);
        List<MergePlan> ordered = new ArrayList<>();
        while (!waiting.isEmpty()) {
            MergePlan next = waiting.stream()
                    .filter(stage -> waiting.stream().noneMatch(other -> !other.equals(stage) && uses(stage, other)))
                    .findFirst()
                    .orElse(waiting.get(0));
            waiting.remove(next);
            ordered.add(next);
        }
        return ordered;
    }

    private static boolean uses(MergePlan plan, MergePlan stage) {
        return plan.models()
                .anyMatch(model -> stage.name().filter(model.toString()::equals).isPresent());
    }

    static List<Object> documents(String yaml) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel("merge plan")
                .setAllowDuplicateKeys(false)
                .setAllowRecursiveKeys(false)
                .setMaxAliasesForCollections(50)
                .setCodePointLimit(MAX_CHARACTERS)
                .setSchema(new CoreSchema())
                .build();
        List<Object> documents = new ArrayList<>();
        try {
            for (Object document : new Load(settings).loadAllFromString(yaml)) {
                if (document != null) {
                    documents.add(document);
                }
                if (documents.size() > MAX_DOCUMENTS) {
                    throw new MalformedFileException("A merge plan must have at most " + MAX_DOCUMENTS + " documents");
                }
            }
            return documents;
        } catch (MarkedYamlEngineException e) {
            String where = e.getProblemMark()
                    .or(e::getContextMark)
                    .map(mark -> "line " + (mark.getLine() + 1) + ", column " + (mark.getColumn() + 1) + ": ")
                    .orElse("");
            throw new MalformedFileException("The merge plan is not valid YAML: " + where + e.getProblem(), e);
        } catch (YamlEngineException e) {
            throw new MalformedFileException("The merge plan is not valid YAML: " + e.getMessage(), e);
        } catch (StackOverflowError e) { // the parser recurses; its partial result is dropped here
            throw new MalformedFileException("The merge plan is nested too deeply", e);
        }
    }
}
