package dev.pollux.inference.hub;

import java.util.List;
import java.util.regex.Pattern;

/**
 * The name of a model on the hub, as users write it: {@code hf:owner/name@revision:Q4_K_M}. <em>Immutable.</em>
 *
 * @param repository {@code owner/name}, or {@code name} for the few that have no owner
 * @param revision a branch, tag or commit
 * @param selection the part after the colon; automatic if there is none
 */
record HubSpec(String repository, String revision, FileSelection selection) {

    static final String PREFIX = "hf:";

    private static final String MAIN = "main";
    private static final int MAX_LENGTH = 2048;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?");

    /** Characters that git forbids in the name of a reference, and those that this grammar reserves. */
    private static final Pattern NO_REVISION =
            Pattern.compile("[\\p{Cntrl}\\p{Cf}\\s~^:?*\\[\\\\@]|\\.\\.|//|^/|/$|^-|(^|/)\\.|\\.(/|$)|\\.lock(/|$)");

    /** @throws IllegalArgumentException with the invalid part */
    static HubSpec parse(String spec) {
        if (!spec.startsWith(PREFIX) || spec.length() > MAX_LENGTH) {
            throw wrong(spec, "it does not begin with hf:");
        }
        String rest = spec.substring(PREFIX.length());
        int colon = rest.indexOf(':');
        String place = colon < 0 ? rest : rest.substring(0, colon);
        int at = place.indexOf('@');
        String repository = at < 0 ? place : place.substring(0, at);
        String revision = at < 0 ? MAIN : place.substring(at + 1);
        checkRepository(spec, repository);
        if (revision.isEmpty()
                || revision.length() > 255
                || NO_REVISION.matcher(revision).find()) {
            throw wrong(spec, "'" + revision + "' is not a branch, tag or commit");
        }
        return new HubSpec(
                repository, revision, colon < 0 ? FileSelection.AUTOMATIC : selection(spec, rest.substring(colon + 1)));
    }

    private static void checkRepository(String spec, String repository) {
        String[] parts = repository.split("/", -1);
        if (parts.length > 2) {
            throw wrong(spec, "a repository is owner/name, and '" + repository + "' has more parts");
        }
        for (String part : parts) {
            if (!NAME.matcher(part).matches() || part.contains("--") || part.contains("..") || part.endsWith(".git")) {
                throw wrong(
                        spec,
                        "'" + part
                                + "' must be 1 to 96 letters, digits, '-', '_' and '.', without '--', '..' and '.git'");
            }
        }
    }

    private static FileSelection selection(String spec, String selector) {
        if (GgufName.isQuantization(selector)) {
            return FileSelection.gguf(selector);
        }
        if (selector.isEmpty() || !selector.matches(".*[.*/].*")) {
            throw wrong(
                    spec,
                    "'" + selector + "' is neither a quantization such as Q4_K_M nor a file pattern such as *.gguf");
        }
        return new FileSelection("", List.of(selector.split(",")), List.of());
    }

    private static IllegalArgumentException wrong(String spec, String why) {
        String shown = spec.length() > 200 ? spec.substring(0, 200) + "…" : spec;
        return new IllegalArgumentException(
                "A model of the hub must be written hf:owner/name, hf:owner/name@revision or"
                        + " hf:owner/name@revision:SELECTION but was '" + shown + "': " + why);
    }

    /** The effective selection if one may also have been passed separately. */
    FileSelection selection(FileSelection beside) {
        if (beside.isAutomatic() && beside.exclude().isEmpty()) {
            return selection;
        }
        if (!selection.isAutomatic()) {
            throw new IllegalArgumentException("The files of " + repository + " must be selected once but were by ':'"
                    + " and by " + beside + "; leave one of them out");
        }
        return beside;
    }

    @Override
    public String toString() {
        return repository + "@" + revision;
    }
}
