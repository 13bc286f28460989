package dev.pollux.documents;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.select.NodeTraversor;

/** Removes the parts of a page that are not its content. <em>Confined to one thread.</em> */
final class Boilerplate {

    /*
     * In this order:
     *   1. What no reader sees: scripts, styles, templates, controls of forms, elements that are hidden.
     *   2. What the page itself marks as surroundings: nav, footer, dialog, roles, an aside or header outside of the article.
     *   3. Small elements with a class or id that says so: cookie, sidebar, share.
     *   4. Small elements whose text is mostly links, and short lines of copyright.
     * If rules 2 to 4 leave less than a fifth of the text that rule 1 left, the page consists of such parts, an index for
     * example, and only rule 1 is applied.
     *
     * Compare: C. Kohlschütter, P. Fankhauser, W. Nejdl: Boilerplate Detection using Shallow Text Features. WSDM 2010, for the
     * density of links. Rejected: a model of text features, which has to be trained and whose errors cannot be explained.
     */

    private static final Set<String> UNSEEN = Set.of(
            "script",
            "style",
            "template",
            "noscript",
            "button",
            "select",
            "textarea",
            "input",
            "datalist",
            "iframe",
            "object",
            "embed",
            "svg",
            "canvas",
            "audio",
            "video",
            "map",
            "head");
    private static final Set<String> SURROUNDING = Set.of("nav", "footer", "dialog", "menu");
    private static final Set<String> ROLES = Set.of(
            "navigation",
            "banner",
            "contentinfo",
            "complementary",
            "search",
            "dialog",
            "alertdialog",
            "menu",
            "menubar");
    private static final Set<String> NAMES = Set.of(
            "cookie",
            "cookies",
            "consent",
            "gdpr",
            "newsletter",
            "subscribe",
            "subscription",
            "breadcrumb",
            "breadcrumbs",
            "share",
            "sharing",
            "social",
            "sidebar",
            "related",
            "advert",
            "adverts",
            "advertisement",
            "ads",
            "promo",
            "promotion",
            "sponsor",
            "sponsored",
            "navbar",
            "nav",
            "navigation",
            "menu",
            "footer",
            "masthead",
            "pagination",
            "pager",
            "banner",
            "popup",
            "modal",
            "skip",
            "toolbar",
            "topbar",
            "login");
    private static final Set<String> BLOCKS =
            Set.of("div", "section", "ul", "ol", "p", "aside", "table", "form", "header", "center");
    private static final Set<String> KEPT =
            Set.of("html", "body", "main", "article", "pre", "code", "h1", "h2", "h3", "h4", "h5", "h6");
    private static final Pattern HIDDEN = Pattern.compile("(?i)display\\s*:\\s*none|visibility\\s*:\\s*hidden");
    private static final Pattern COPYRIGHT =
            Pattern.compile("(?i)^(?:©|\\(c\\)|copyright\\b|all rights reserved).*", Pattern.DOTALL);

    private static final double MOST_LINKED = 0.5;
    private static final int SMALL = 300;
    private static final int SHORT = 200;
    private static final int LEAST_PART = 5;
    private static final int NAMED_PART = 4;

    private final Guard guard;

    private Boilerplate(Guard guard) {
        this.guard = guard;
    }

    /** Returns the element with the content of a page. */
    static Element content(Document page, Guard guard) {
        Boilerplate rules = new Boilerplate(guard);
        rules.remove(page, Boilerplate::isUnseen);
        Element whole = page.body();
        int all = length(whole);
        Document cleaned = page.clone();
        rules.remove(cleaned, Boilerplate::isSurrounding);
        rules.remove(cleaned, element -> isNamed(element, all));
        rules.remove(cleaned, Boilerplate::isMostlyLinks);
        Element content = main(cleaned);
        return length(content) * LEAST_PART >= all ? content : whole;
    }

    /** A rule that an element is to be removed. */
    @FunctionalInterface
    private interface Rule {
        boolean removes(Element element);
    }

    private void remove(Document page, Rule rule) {
        List<Element> found = new ArrayList<>();
        NodeTraversor.traverse(
                (node, depth) -> {
                    guard.step();
                    if (node instanceof Element element
                            && !KEPT.contains(element.normalName())
                            && rule.removes(element)) {
                        found.add(element);
                    }
                },
                page);
        found.forEach(Node::remove);
    }

    private static boolean isUnseen(Element element) {
        return UNSEEN.contains(element.normalName())
                || element.hasAttr("hidden")
                || element.attr("aria-hidden").equals("true")
                || HIDDEN.matcher(element.attr("style")).find();
    }

    private static boolean isSurrounding(Element element) {
        String name = element.normalName();
        if (SURROUNDING.contains(name)) {
            return !name.equals("footer") || !isIn(element, "article") || length(element) < SMALL;
        }
        if (ROLES.contains(element.attr("role").toLowerCase(Locale.ROOT))) {
            return true;
        }
        boolean outside = !isIn(element, "article");
        return outside
                && (name.equals("aside")
                        || name.equals("header") && element.selectFirst("h1") == null && !isIn(element, "main"));
    }

    private static boolean isIn(Element element, String name) {
        for (Element above = element.parent(); above != null; above = above.parent()) {
            if (above.normalName().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isNamed(Element element, int all) {
        if (!BLOCKS.contains(element.normalName())) {
            return false;
        }
        String names = (element.className() + " " + element.id()).toLowerCase(Locale.ROOT);
        for (String name : names.split("[^a-z]+")) {
            if (NAMES.contains(name)) {
                return length(element) * NAMED_PART < all && element.selectFirst("h1") == null;
            }
        }
        return false;
    }

    private static boolean isMostlyLinks(Element element) {
        if (!BLOCKS.contains(element.normalName())) {
            return false;
        }
        int text = length(element);
        if (text == 0 || text > SMALL) {
            return false;
        }
        if (text < SHORT && COPYRIGHT.matcher(element.text()).matches()) {
            return true;
        }
        int links = 0;
        int linked = 0;
        for (Element link : element.select("a[href]")) {
            links++;
            linked += length(link);
        }
        return links > 1 && linked > MOST_LINKED * text;
    }

    /** The one main element or article that contains most of the text. */
    private static Element main(Document page) {
        Element body = page.body();
        for (String selector : List.of("main", "[role=main]", "article")) {
            List<Element> found = page.select(selector);
            if (found.size() == 1 && 2 * length(found.get(0)) >= length(body)) {
                return found.get(0);
            }
        }
        return body;
    }

    /** The number of characters of text that are not white space. */
    private static int length(Element element) {
        int[] count = new int[1];
        NodeTraversor.traverse(
                (node, depth) -> {
                    if (node instanceof TextNode text) {
                        count[0] += (int)
                                text.getWholeText().chars().filter(c -> c > ' ').count();
                    }
                },
                element);
        return count[0];
    }
}
