package dev.pollux.samples.cli;

import dev.pollux.rag.source.DocumentSource;
import dev.pollux.rag.source.FieldMapping;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that make records of files, or pages of a web site, of the documents. */
final class SourceOptions {

    private static final List<String> RECORDS = List.of(".csv", ".tsv", ".jsonl", ".ndjson");

    @Option(
            names = "--records",
            order = 9,
            description =
                    "Each row of a CSV file, or line of a JSON Lines file, that --docs names is a document of its own."
                            + " The files may have any size. Implied by --id-field, --title-field and --text-field.")
    private boolean records;

    @Option(
            names = "--id-field",
            order = 9,
            paramLabel = "FIELD",
            description =
                    "The field of a record with its id. Default: the first of id, _id, key, uuid; else its number.")
    private @Nullable String idField;

    @Option(
            names = "--title-field",
            order = 9,
            paramLabel = "FIELD",
            description = "The field of a record with its title. Default: the first of title, name, heading, subject.")
    private @Nullable String titleField;

    @Option(
            names = "--text-field",
            order = 9,
            paramLabel = "FIELD",
            description =
                    "The field of a record with its text. May be given several times; all other fields are metadata."
                            + " Default: the first of text, body, content, contents, description, abstract, answer; else all"
                            + " fields.")
    private List<String> textFields = List.of();

    @Option(
            names = "--site",
            order = 9,
            paramLabel = "URL",
            description =
                    "--docs is a mirror of this web site, with the files in the folders of their addresses. The pages"
                            + " are those of its sitemap.xml; citations name their addresses. Nothing is fetched.")
    private @Nullable String site;

    @Option(
            names = "--pages",
            order = 9,
            paramLabel = "FILE",
            description = "The pages of --site are those that this file lists, an address or path a line.")
    private @Nullable Path pages;

    /** Whether the documents are not files or folders as they are. */
    boolean areGiven() {
        return asRecords() || site != null || pages != null;
    }

    private boolean asRecords() {
        return records || idField != null || titleField != null || !textFields.isEmpty();
    }

    List<DocumentSource> sources(List<Path> docs, PolluxCommand command) {
        if (site == null && pages != null) {
            throw command.usage("--pages is for --site, the address of the web site");
        }
        if (site != null) {
            return List.of(mirror(site, docs, command));
        }
        return docs.stream().map(file -> records(file, command)).toList();
    }

    private DocumentSource mirror(String address, List<Path> docs, PolluxCommand command) {
        if (asRecords()) {
            throw command.usage("--site is for pages; leave out --records and the fields");
        }
        if (docs.size() != 1 || !Files.isDirectory(docs.get(0))) {
            throw command.usage("--site is for one --docs, the folder with the mirror of the site");
        }
        if (!address.matches("\\w+://.+")) {
            throw command.usage("--site must be an address such as https://example.org but was '" + address + "'");
        }
        if (pages == null) {
            return DocumentSource.web(docs.get(0), address);
        }
        GivenPath.file("--pages", pages, command);
        return DocumentSource.web(docs.get(0), address, pages);
    }

    private DocumentSource records(Path file, PolluxCommand command) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        if (Files.isDirectory(file) || RECORDS.stream().noneMatch(name::endsWith)) {
            throw command.usage("--records is for CSV and JSON Lines files (" + String.join(", ", RECORDS)
                    + ") but --docs is " + file);
        }
        FieldMapping.Builder mapping = FieldMapping.builder().text(textFields);
        if (idField != null) {
            mapping.id(idField);
        }
        if (titleField != null) {
            mapping.title(titleField);
        }
        return DocumentSource.records(file, mapping.build());
    }
}
