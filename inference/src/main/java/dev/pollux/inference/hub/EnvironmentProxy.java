package dev.pollux.inference.hub;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The JVM's proxies ({@code -Dhttps.proxyHost} and related properties); if there are none, those of {@code HTTPS_PROXY},
 * {@code HTTP_PROXY}, {@code ALL_PROXY} and {@code NO_PROXY}, in upper or lower case. <em>Thread-safe.</em>
 */
final class EnvironmentProxy extends ProxySelector {

    private final Map<String, String> variables;
    private final Optional<ProxySelector> jvm;

    EnvironmentProxy(Map<String, String> variables, Optional<ProxySelector> jvm) {
        this.variables = variables;
        this.jvm = jvm;
        List.of("https_proxy", "http_proxy", "all_proxy")
                .forEach(this::proxy); // an invalid value fails here, not later
    }

    @Override
    public List<Proxy> select(URI uri) {
        List<Proxy> own = jvm.map(selector -> selector.select(uri)).orElse(List.of());
        if (own.stream().anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT)) {
            return own;
        }
        Optional<URI> proxy = isExempt(uri) ? Optional.empty() : proxyFor(uri);
        return List.of(proxy.map(
                        p -> new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(p.getHost(), port(p))))
                .orElse(Proxy.NO_PROXY));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // the request fails with its own message
    }

    /** Answers a proxy's challenge with the name and password in its URL; empty if no proxy has them. */
    Optional<Authenticator> authenticator() {
        boolean any = List.of("https_proxy", "http_proxy", "all_proxy").stream()
                .flatMap(name -> proxy(name).stream())
                .anyMatch(p -> p.getUserInfo() != null);
        return any ? Optional.of(new Credentials()) : Optional.empty();
    }

    private Optional<URI> proxyFor(URI uri) {
        Optional<URI> own = proxy(uri.getScheme().toLowerCase(Locale.ROOT) + "_proxy");
        return own.isPresent() ? own : proxy("all_proxy");
    }

    private Optional<URI> proxy(String name) {
        String value = variable(name);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        try {
            URI uri = URI.create(value.contains("://") ? value : "http://" + value);
            if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
                return Optional.of(uri);
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new IllegalArgumentException(name.toUpperCase(Locale.ROOT)
                + " must be the URL of an HTTP proxy, such as http://proxy.example:3128; SOCKS is not supported");
    }

    private String variable(String name) {
        String lower = variables.getOrDefault(name, "").strip();
        return lower.isEmpty()
                ? variables.getOrDefault(name.toUpperCase(Locale.ROOT), "").strip()
                : lower;
    }

    private static int port(URI proxy) {
        return proxy.getPort() > 0 ? proxy.getPort() : proxy.getScheme().equals("https") ? 443 : 80;
    }

    private boolean isExempt(URI uri) {
        String host = uri.getHost().toLowerCase(Locale.ROOT);
        int port = uri.getPort() > 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
        for (String entry : variable("no_proxy").toLowerCase(Locale.ROOT).split("[,\\s]+")) {
            String name = entry.replaceFirst("^\\*?\\.", "");
            if (entry.equals("*")
                    || !name.isEmpty()
                            && (host.equals(name)
                                    || host.endsWith("." + name)
                                    || (host + ":" + port).equals(name)
                                    || (host + ":" + port).endsWith("." + name))) {
                return true;
            }
        }
        return false;
    }

    private final class Credentials extends Authenticator {
        @Override
        protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            for (String name : List.of("https_proxy", "http_proxy", "all_proxy")) {
                Optional<URI> proxy = proxy(name);
                if (getRequestorType() == RequestorType.PROXY
                        && proxy.isPresent()
                        && proxy.get().getRawUserInfo() != null
                        && proxy.get().getHost().equalsIgnoreCase(getRequestingHost())) {
                    String[] parts = proxy.get().getRawUserInfo().split(":", 2);
                    return new PasswordAuthentication(
                            decoded(parts[0]),
                            decoded(parts.length > 1 ? parts[1] : "").toCharArray());
                }
            }
            return null;
        }

        private String decoded(String text) {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        }
    }
}
