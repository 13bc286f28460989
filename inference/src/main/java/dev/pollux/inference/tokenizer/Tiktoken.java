package dev.pollux.inference.tokenizer;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a tiktoken vocabulary, one line of base64 and rank per token, as the metadata that a GGUF file made from it would have.
 *
 * <p>The pair whose merged token has the lowest rank is merged first; the rank is the id. The file specifies neither the
 * pre-tokenization nor the special tokens; the name of the encoding determines both.
 */
final class Tiktoken {

    private static final long MAX_BYTES = 16L << 20;
    private static final int MAX_TOKEN = 256;
    private static final int MAX_ID = 1 << 20;
    private static final long UNUSED = 5;

    /** The pre-tokenization of a named encoding, as a name of {@link PreTokenizer}, and its special tokens. */
    private record Encoding(String pre, Map<String, Integer> special) {}

    private static final Map<String, Encoding> ENCODINGS = new TreeMap<>(Map.of(
            "cl100k_base",
                    new Encoding(
                            "dbrx",
                            Map.of(
                                    "<|endoftext|>", 100257,
                                    "<|fim_prefix|>", 100258,
                                    "<|fim_middle|>", 100259,
                                    "<|fim_suffix|>", 100260,
                                    "<|endofprompt|>", 100276)),
            "o200k_base", new Encoding("gpt-4o", Map.of("<|endoftext|>", 199999, "<|endofprompt|>", 200018)),
            "r50k_base", new Encoding("gpt-2", Map.of("<|endoftext|>", 50256)),
            "p50k_base", new Encoding("gpt-2", Map.of("<|endoftext|>", 50256)),
            "gpt2", new Encoding("gpt-2", Map.of("<|endoftext|>", 50256)),
            "glm4", new Encoding("glm4", Map.of()),
            "kimi", new Encoding("kimi-k2", Map.of()),
            "llama3", new Encoding("llama-bpe", llama3()),
            "qwen", new Encoding("qwen2", qwen())));

    private final Path file;
    private final Map<String, Integer> ranks = new LinkedHashMap<>(); // by the token's bytes as Latin-1

    private Tiktoken(Path file) {
        this.file = file;
    }

    /** The names of the supported encodings. */
    static List<String> encodings() {
        return List.copyOf(ENCODINGS.keySet());
    }

    /** Whether the beginning of a file is that of a tiktoken vocabulary. */
    static boolean isIn(Path file) {
        byte[] beginning = new byte[4 * MAX_TOKEN];
        try (InputStream in = Files.newInputStream(file)) {
            int length = in.readNBytes(beginning, 0, beginning.length);
            return new String(beginning, 0, length, StandardCharsets.ISO_8859_1)
                    .matches("(?s)[A-Za-z0-9+/]+={0,2} [0-9]{1,7}\\r?\\n.*");
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
    }

    /**
     * @param encoding one of {@link #encodings}
     * @param special ids of special tokens; if empty, those of the encoding
     */
    static Map<String, Object> read(Path file, String encoding, Map<String, Integer> special) {
        Encoding known = ENCODINGS.get(encoding);
        if (known == null) {
            throw new UnsupportedModelException(file + ": how the encoding '" + encoding
                    + "' cuts text is not known, only " + encodings() + "; use the model's tokenizer.json");
        }
        Tiktoken read = new Tiktoken(file);
        read.lines();
        Map<String, Object> metadata = read.metadata(special.isEmpty() ? known.special() : special);
        metadata.put("tokenizer.ggml.pre", known.pre());
        return metadata;
    }

    private void lines() {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new MalformedFileException(file + " must be at most " + MAX_BYTES + " bytes");
            }
            try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.US_ASCII)) {
                int number = 1;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (!line.isEmpty()) {
                        line(line, number);
                    }
                    number++;
                }
            }
        } catch (CharacterCodingException e) {
            throw new MalformedFileException(file + " is not a vocabulary of tiktoken: it is not ASCII", e);
        } catch (IOException e) {
            throw new StorageException("Cannot read " + file + ": " + e, e);
        }
        if (ranks.isEmpty()) {
            throw new MalformedFileException(file + " is not a vocabulary of tiktoken: it is empty");
        }
    }

    private void line(String line, int number) {
        int space = line.indexOf(' ');
        String rank = line.substring(space + 1);
        if (space < 1 || !rank.matches("[0-9]{1,7}") || Integer.parseInt(rank) >= MAX_ID) {
            throw malformed(number, "must be base64, a space, and a rank below " + MAX_ID);
        }
        byte[] token;
        try {
            token = Base64.getDecoder().decode(line.substring(0, space));
        } catch (IllegalArgumentException e) {
            throw malformed(number, "is not base64: " + e.getMessage());
        }
        if (token.length == 0 || token.length > MAX_TOKEN) {
            throw malformed(number, "must hold a token of 1 to " + MAX_TOKEN + " bytes but holds " + token.length);
        }
        if (ranks.put(new String(token, StandardCharsets.ISO_8859_1), Integer.parseInt(rank)) != null) {
            throw malformed(number, "holds a token that another line holds too");
        }
    }

    private MalformedFileException malformed(int line, String why) {
        return new MalformedFileException(file + " is not a vocabulary of tiktoken: line " + line + " " + why);
    }

    private Map<String, Object> metadata(Map<String, Integer> special) {
        TreeMap<Integer, String> byId = new TreeMap<>();
        ranks.forEach((token, id) -> {
            if (byId.put(id, GgufBpe.byteLetters(token.getBytes(StandardCharsets.ISO_8859_1))) != null) {
                throw new MalformedFileException(
                        file + " is not a vocabulary of tiktoken: two tokens have the rank " + id);
            }
        });
        special.forEach((token, id) -> {
            if (id < 0 || id >= MAX_ID || token.isEmpty()) {
                throw new MalformedFileException(file + ": the id of the special token '" + token + "' must be in [0, "
                        + MAX_ID + ") but was " + id);
            }
            byId.put(id, token);
        });
        List<String> tokens = new ArrayList<>(Collections.nCopies(byId.lastKey() + 1, ""));
        List<Long> types = new ArrayList<>(Collections.nCopies(byId.lastKey() + 1, UNUSED));
        byId.forEach((id, token) -> {
            tokens.set(id, token);
            types.set(id, special.containsValue(id) ? (long) GgufTokenizer.CONTROL : (long) GgufTokenizer.NORMAL);
        });
        Map<String, Object> metadata = new HashMap<>();
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.ignore_merges", true);
        metadata.put("tokenizer.ggml.tokens", tokens);
        metadata.put("tokenizer.ggml.token_type", types);
        metadata.put("tokenizer.ggml.merges", merges());
        if (special.containsKey("<|begin_of_text|>")) {
            metadata.put(
                    "tokenizer.ggml.bos_token_id",
                    special.get("<|begin_of_text|>").longValue());
        }
        return metadata;
    }

    private record Merge(String merged, int rank, int left, int right) {}

    /** Every pair of tokens that merges to a token, ordered by the rank of the result. */
    private List<String> merges() {
        List<Merge> found = new ArrayList<>();
        ranks.forEach((token, rank) -> {
            for (int cut = 1; cut < token.length(); cut++) {
                Integer left = ranks.get(token.substring(0, cut));
                Integer right = ranks.get(token.substring(cut));
                if (left != null && right != null) {
                    found.add(new Merge(
                            letters(token, 0, cut) + " " + letters(token, cut, token.length()), rank, left, right));
                }
            }
        });
        found.sort(Comparator.comparingInt(Merge::rank)
                .thenComparingInt(Merge::left)
                .thenComparingInt(Merge::right));
        return found.stream().map(Merge::merged).toList();
    }

    private static String letters(String token, int from, int to) {
        return GgufBpe.byteLetters(token.substring(from, to).getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The 256 special tokens after the 128000 tokens; most are reserved. */
    private static Map<String, Integer> llama3() {
        Map<Integer, String> named = Map.of(
                0, "<|begin_of_text|>",
                1, "<|end_of_text|>",
                4, "<|finetune_right_pad_id|>",
                6, "<|start_header_id|>",
                7, "<|end_header_id|>",
                8, "<|eom_id|>",
                9, "<|eot_id|>",
                10, "<|python_tag|>");
        Map<String, Integer> special = new HashMap<>();
        int reserved = 0;
        for (int i = 0; i < 256; i++) {
            String token = named.containsKey(i) ? named.get(i) : "<|reserved_special_token_" + reserved++ + "|>";
            special.put(token, 128_000 + i);
        }
        return special;
    }

    private static Map<String, Integer> qwen() {
        Map<String, Integer> special =
                new HashMap<>(Map.of("<|endoftext|>", 151_643, "<|im_start|>", 151_644, "<|im_end|>", 151_645));
        for (int i = 0; i < 205; i++) {
            special.put("<|extra_" + i + "|>", 151_646 + i);
        }
        return special;
    }
}
