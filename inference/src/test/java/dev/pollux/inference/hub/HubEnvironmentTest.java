package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.pollux.inference.internal.paths.EnvironmentPaths;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the variables of the environment say. */
class HubEnvironmentTest extends HubTestCase {

    private HubEnvironment given(String... pairs) {
        return new HubEnvironment(new EnvironmentPaths(map(pairs), temp.toString(), temp.resolve("passwd")));
    }

    private static Map<String, String> map(String... pairs) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put(pairs[i], pairs[i + 1]);
        }
        return map;
    }

    @Test
    void theCacheIsWhereHuggingfaceHubHasIt() {
        assertThat(given().cache()).isEqualTo(temp.resolve(".cache/huggingface/hub"));
        assertThat(given("XDG_CACHE_HOME", "/xdg").cache()).isEqualTo(Path.of("/xdg/huggingface/hub"));
        assertThat(given("XDG_CACHE_HOME", "/xdg", "HF_HOME", "/hf").cache()).isEqualTo(Path.of("/hf/hub"));
        assertThat(given("HF_HOME", "~/hf").cache()).isEqualTo(temp.resolve("hf/hub"));
        assertThat(given("HF_HOME", "/hf", "HUGGINGFACE_HUB_CACHE", "/old").cache())
                .isEqualTo(Path.of("/old"));
        assertThat(given("HUGGINGFACE_HUB_CACHE", "/old", "HF_HUB_CACHE", "/new")
                        .cache())
                .isEqualTo(Path.of("/new"));
    }

    @Test
    void theTokenIsTheVariablesElseTheFiles() throws IOException {
        assertThat(given().token()).isEmpty();
        Files.createDirectories(temp.resolve(".cache/huggingface"));
        Files.writeString(temp.resolve(".cache/huggingface/token"), "hf_file\n");
        Files.writeString(temp.resolve("other"), "hf_other");

        assertThat(given().token()).contains("hf_file");
        assertThat(given("HF_TOKEN_PATH", temp.resolve("other").toString()).token())
                .contains("hf_other");
        assertThat(given("HF_TOKEN", " hf_variable ").token()).contains("hf_variable");
        assertThat(given("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1").token()).isEmpty();
    }

    @Test
    void offlineIsWhatPythonTakesForTrue() {
        assertThat(given().offline()).isFalse();
        assertThat(given("HF_HUB_OFFLINE", "0").offline()).isFalse();
        assertThat(given("HF_HUB_OFFLINE", "1").offline()).isTrue();
        assertThat(given("HF_HUB_OFFLINE", "yes").offline()).isTrue();
        assertThat(given("TRANSFORMERS_OFFLINE", "True").offline()).isTrue();
    }

    @Test
    void aHubIsBuiltFromTheEnvironment() {
        model(10);
        ModelHub hub = ModelHub.builder(map("HF_ENDPOINT", server.url() + "/", "HF_HUB_CACHE", cache.toString()), temp)
                .build();

        assertThat(hub.cache()).isEqualTo(cache);
        assertThat(hub.fetch(SPEC).run()).isEqualTo(snapshot());
    }

    @Test
    void whatIsNotWellFormedIsRefusedWhenTheHubIsBuilt() {
        assertThatThrownBy(() -> builder().endpoint("ftp://mirror").build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The endpoint must be an address such as https://huggingface.co without name, query and fragment"
                                + " but was 'ftp://mirror'");
        assertThatThrownBy(() -> builder().parallelRanges(0)).hasMessage("parallelRanges must be in [1, 32] but was 0");
        assertThatThrownBy(() -> builder().retries(-1)).hasMessage("retries must be in [0, 20] but was -1");
        assertThatThrownBy(() -> builder().readTimeout(Duration.ZERO))
                .hasMessage("readTimeout must be positive but was PT0S");
        assertThatThrownBy(() -> ModelHub.builder(map("HTTPS_PROXY", "socks5://user:secret@x:1"), temp)
                        .build())
                .hasMessage(
                        "HTTPS_PROXY must be the URL of an HTTP proxy, such as http://proxy.example:3128; SOCKS is not"
                                + " supported");
    }

    @ParameterizedTest
    @CsvSource({
        "https://huggingface.co, proxy.example:3128",
        "http://huggingface.co, plain.example:80",
        "https://inside.corp.example, DIRECT",
        "https://corp.example, DIRECT",
        "https://notcorp.example, proxy.example:3128",
        "https://hub.local:8443, DIRECT",
        "https://hub.local, proxy.example:3128",
        "https://10.0.0.1, DIRECT"
    })
    void theProxyOfTheEnvironmentIsTaken(String url, String expected) {
        EnvironmentProxy proxy = new EnvironmentProxy(
                map(
                        "HTTPS_PROXY",
                        "http://proxy.example:3128",
                        "http_proxy",
                        "plain.example",
                        "NO_PROXY",
                        ".corp.example, hub.local:8443,10.0.0.1"),
                Optional.empty());

        Proxy chosen = proxy.select(URI.create(url)).get(0);

        assertThat(chosen.type() == Proxy.Type.DIRECT ? "DIRECT" : address(chosen))
                .isEqualTo(expected);
    }

    private static String address(Proxy proxy) {
        InetSocketAddress address = (InetSocketAddress) proxy.address();
        return address.getHostString() + ":" + address.getPort();
    }

    @Test
    void theProxyOfTheJvmGoesFirst() {
        EnvironmentProxy proxy = new EnvironmentProxy(
                map("ALL_PROXY", "http://environment.example:1"),
                Optional.of(ProxySelector.of(InetSocketAddress.createUnresolved("jvm.example", 2))));

        assertThat(address(proxy.select(URI.create("https://huggingface.co")).get(0)))
                .isEqualTo("jvm.example:2");
        assertThat(address(new EnvironmentProxy(map("ALL_PROXY", "http://environment.example:1"), Optional.empty())
                        .select(URI.create("https://huggingface.co"))
                        .get(0)))
                .isEqualTo("environment.example:1");
    }

    @Test
    void requestsGoThroughTheProxyWithItsPassword() throws IOException {
        List<String> asked = new CopyOnWriteArrayList<>();
        HttpServer proxy = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        proxy.createContext("/", exchange -> {
            String password = String.valueOf(exchange.getRequestHeaders().getFirst("Proxy-Authorization"));
            asked.add(exchange.getRequestURI() + " " + password);
            if (password.equals("null")) {
                FakeHub.status(407, "Proxy-Authenticate", "Basic realm=\"proxy\"")
                        .handle(exchange);
            } else {
                FakeHub.status(404, "X-Error-Code", "RepoNotFound").handle(exchange);
            }
        });
        proxy.start();
        try {
            String url = "http://user:p%40ss@localhost:" + proxy.getAddress().getPort();
            ModelHub hub = ModelHub.builder(map("HTTP_PROXY", url), temp)
                    .endpoint("http://hub.invalid")
                    .cache(cache)
                    .build();

            assertThatThrownBy(() -> hub.fetch(SPEC).run())
                    .hasMessageStartingWith("There is no model owner/name at http://hub.invalid, ");
        } finally {
            proxy.stop(0);
        }
        assertThat(asked)
                .containsExactly(
                        "http://hub.invalid/api/models/owner/name/revision/main?blobs=true null",
                        "http://hub.invalid/api/models/owner/name/revision/main?blobs=true Basic dXNlcjpwQHNz");
    }
}
