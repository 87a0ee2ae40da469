import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What the extractor of the page takes of a record with a header, and of one without. */
public class Extract {
    public static void main(String[] arguments) {
        ConsumerRecord<Object, Object> story = new ConsumerRecord<>("t", 0, 0, null, null);
        story.headers().add("ce_time", arguments[0].getBytes(StandardCharsets.UTF_8));
        System.out.println(new ReceivedTime().extract(story, 0));
        ConsumerRecord<Object, Object> bare = new ConsumerRecord<Object, Object>("t", 0, 0, 77L,
            org.apache.kafka.common.record.TimestampType.CREATE_TIME, 0, 0, null, null,
            new org.apache.kafka.common.header.internals.RecordHeaders(), java.util.Optional.empty());
        System.out.println(new ReceivedTime().extract(bare, 0));
    }
}
