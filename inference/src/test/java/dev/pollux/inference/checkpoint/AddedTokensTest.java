package dev.pollux.inference.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.MalformedFileException;
import dev.pollux.inference.tokenizer.Tokenizer;
import dev.pollux.testkit.NoLeaks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens that the files beside a tokenizer.json add to it. */
@NoLeaks
class AddedTokensTest {

    @TempDir
    Path folder;

    @BeforeEach
    void aVocabularyOfFourTokensOneOfThemAdded() throws IOException {
        write(
                "tokenizer.json",
                "{'version':'1.0','added_tokens':[{'id':3,'content':'<old>','single_word':false,'lstrip':false,"
                        + "'rstrip':false,'normalized':false,'special':true}],"
                        + "'model':{'type':'BPE','vocab':{'a':0,'b':1,'<s>':2},'merges':[]}}");
    }

    @Test
    void tokensOfTheDecoderGetTheIdsBehindTheVocabularyAndWhatWasAdded() throws IOException {
        write(
                "tokenizer_config.json",
                "{'added_tokens_decoder':{'5':{'content':'tool','special':false,'normalized':false},"
                        + "'3':{'content':'<old>','special':true},'4':{'content':'<|start|>','special':true}}}");

        assertThat(ids("<|start|>atool<old>")).containsExactly(4, 0, 5, 3);
        try (Tokenizer tokenizer = open()) {
            assertThat(tokenizer.vocabularySize()).isEqualTo(6);
            assertThat(tokenizer.decode(new int[] {4, 5, 3}, true)).isEqualTo("tool");
        }
    }

    @Test
    void aSpecialTokenOfTheVocabularyKeepsItsId() throws IOException {
        write("tokenizer_config.json", "{'bos_token':'<s>','eos_token':{'content':'<end>'},'add_bos_token':false}");

        assertThat(ids("<s>a<end>")).containsExactly(2, 0, 4);
    }

    @Test
    void withoutADecoderAddedTokensJsonIsTheListAndTheMapNamesTheSpecialOnes() throws IOException {
        write("tokenizer_config.json", "{'eos_token':'<other>'}");
        write("added_tokens.json", "{'plain':5,'<end>':4}");
        write(
                "special_tokens_map.json",
                "{'eos_token':{'content':'<end>','lstrip':false},'additional_special_tokens':['<more>']}");

        assertThat(ids("<end>plain<more>")).containsExactly(4, 5, 6);
        try (Tokenizer tokenizer = open()) {
            assertThat(tokenizer.decode(new int[] {4, 5, 6}, true)).isEqualTo("plain");
            assertThat(tokenizer.idOf("<other>")).isEmpty();
        }
        assertThat(ModelTexts.in(folder).specialTokens().eos()).isEqualTo("<end>");
    }

    @Test
    void withADecoderTheOtherFilesAddNothing() throws IOException {
        write("tokenizer_config.json", "{'added_tokens_decoder':{},'eos_token':'<end>'}");
        write("added_tokens.json", "{'plain':9}");
        write("special_tokens_map.json", "{'eos_token':'<other>'}");

        try (Tokenizer tokenizer = open()) {
            assertThat(tokenizer.idOf("<end>")).hasValue(4);
            assertThat(tokenizer.idOf("plain")).isEmpty();
            assertThat(tokenizer.idOf("<other>")).isEmpty();
        }
        assertThat(ModelTexts.in(folder).specialTokens().eos()).isEqualTo("<end>");
    }

    @Test
    void namedTokensOfAModelAreSpecialToo() throws IOException {
        write(
                "tokenizer_config.json",
                "{'image_token':'<image>','extra_special_tokens':[{'content':'<first>'},'<second>'],'pad_token':null}");

        assertThat(ids("<image><first><second>")).containsExactly(4, 5, 6);
    }

    @Test
    void anIdThatIsNoneIsRefused() throws IOException {
        write("tokenizer_config.json", "{'added_tokens_decoder':{'x':{'content':'y'}}}");
        assertThatThrownBy(this::open)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(folder.resolve("tokenizer_config.json")
                        + ": added_tokens_decoder must have ids for keys but has 'x'");
        write("tokenizer_config.json", "{}");
        write("added_tokens.json", "{'y':-1}");
        assertThatThrownBy(this::open)
                .isInstanceOf(MalformedFileException.class)
                .hasMessage(
                        folder.resolve("added_tokens.json") + ": the id of 'y' must be in [0, 16777216] but was -1");
    }

    private int[] ids(String text) {
        try (Tokenizer tokenizer = open()) {
            return tokenizer.encode(text, false);
        }
    }

    private Tokenizer open() {
        return ModelTexts.in(folder).tokenizer().orElseThrow();
    }

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json.replace('\'', '"'));
    }
}
