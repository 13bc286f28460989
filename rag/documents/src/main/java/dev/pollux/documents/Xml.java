package dev.pollux.documents;

import java.io.InputStream;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** Reads XML event by event, by local names, without entities of its own and without any other file. <em>Confined to one thread.</em> */
final class Xml implements AutoCloseable {

    private final XMLStreamReader reader;
    private final Guard guard;
    private int depth;

    private Xml(XMLStreamReader reader, Guard guard) {
        this.reader = reader;
        this.guard = guard;
    }

    static Xml of(InputStream in, Guard guard) {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_REPLACING_ENTITY_REFERENCES, false);
        factory.setXMLResolver((publicId, systemId, base, namespace) -> InputStream.nullInputStream());
        try {
            return new Xml(factory.createXMLStreamReader(in), guard);
        } catch (XMLStreamException e) {
            throw damaged(e);
        }
    }

    /** Moves to the next event and returns whether there is one. */
    boolean next() {
        guard.step();
        try {
            if (!reader.hasNext()) {
                return false;
            }
            int event = reader.next();
            if (event == XMLStreamConstants.START_ELEMENT) {
                guard.checkDepth(++depth);
            } else if (event == XMLStreamConstants.END_ELEMENT) {
                depth--;
            }
            return true;
        } catch (XMLStreamException e) {
            throw damaged(e);
        }
    }

    /** Moves to the end of the element that has just begun. */
    void skip() {
        int until = depth - 1;
        boolean more = true;
        while (more && depth > until) {
            more = next();
        }
    }

    /** The text inside the element that has just begun; moves to its end. */
    String content() {
        int until = depth - 1;
        StringBuilder text = new StringBuilder();
        while (next() && depth > until) {
            if (isText()) {
                text.append(text());
                guard.checkCharacters(text.length());
            }
        }
        return text.toString();
    }

    boolean isStart() {
        return reader.isStartElement();
    }

    boolean isEnd() {
        return reader.isEndElement();
    }

    boolean isText() {
        return reader.isCharacters() || reader.getEventType() == XMLStreamConstants.CDATA;
    }

    boolean starts(String name) {
        return reader.isStartElement() && reader.getLocalName().equals(name);
    }

    boolean ends(String name) {
        return reader.isEndElement() && reader.getLocalName().equals(name);
    }

    /** The name of the element, without its prefix. */
    String name() {
        return reader.getLocalName();
    }

    String text() {
        return reader.getText();
    }

    int depth() {
        return depth;
    }

    /** An attribute by its name without prefix; empty if it is absent. */
    String attribute(String name) {
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            if (reader.getAttributeLocalName(i).equals(name)) {
                return reader.getAttributeValue(i);
            }
        }
        return "";
    }

    /** An attribute of a namespace whose address ends so; empty if it is absent. */
    String attribute(String name, String namespaceEnd) {
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            String namespace = reader.getAttributeNamespace(i);
            if (reader.getAttributeLocalName(i).equals(name) && namespace != null && namespace.endsWith(namespaceEnd)) {
                return reader.getAttributeValue(i);
            }
        }
        return "";
    }

    /** Reads the texts of some elements, such as those of a title, into {@code fields}. */
    static void fields(Xml xml, Map<String, String> names, Extracted out) {
        while (xml.next()) {
            String field = xml.isStart() ? names.get(xml.name()) : null;
            if (field != null) {
                out.field(field, xml.content());
            }
        }
    }

    private static UnreadableException damaged(XMLStreamException e) {
        if (e.getNestedException() instanceof UnreadableException limit) {
            return limit;
        }
        return new UnreadableException("has a damaged part: " + firstLine(String.valueOf(e.getMessage())), e);
    }

    private static String firstLine(String message) {
        return message.replaceAll(
                        "(?s)^ParseError at \\[row,col\\]:\\[(\\d+),(\\d+)\\]\\s*Message: ", "in row $1, column $2: ")
                .lines()
                .findFirst()
                .orElse("");
    }

    @Override
    public void close() {
        try {
            reader.close();
        } catch (XMLStreamException e) {
            throw damaged(e);
        }
    }
}
