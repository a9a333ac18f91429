"""The portal: pages and forms over ``operations``. Works without JavaScript, which only makes it live."""
