"""What the agent should do with which message: this file holds the shop's worked examples.

None of them is a message of the script. Names, numbers and products in them are not the shop's, so
that a value copied from an example into a call would be seen at once.
"""

from __future__ import annotations

from smallhold import Example

EXAMPLES = (
    Example(
        text="When will order 512 come?",
        tool="order_status",
        arguments={"order_id": "512"},
        result='{"order":"512","status":"processing","expected_on":"2026-05-04"}',
    ),
    Example(text="How are you today?"),
    Example(
        text="Are the Kestrel earbuds available, and for how much?",
        tool="product_stock",
        arguments={"product": "Kestrel earbuds"},
        result='{"product":"Kestrel Earbuds","price":"25.00 GBP","in_stock":true,"pieces":4}',
    ),
    Example(
        text="The Orbit mouse is sold out. What else could I buy?",
        tool="find_alternatives",
        arguments={"product": "Orbit mouse"},
        result='{"category":"mice","in_stock":["Lumo Mouse, 19.00 GBP"]}',
    ),
    Example(text="Which country is the largest in the world?"),
    Example(
        text="The radio from order 618 is broken. Please report it.",
        tool="create_ticket",
        arguments={"order_id": "618", "category": "defect", "problem": "The radio is broken."},
        result='{"ticket":"T70","order":"618","category":"defect","open":true}',
    ),
    Example(
        text="Please phone me at 0161 496 0321 on Monday at 9:15.",
        tool="schedule_callback",
        arguments={"phone": "0161 496 0321", "day": "Monday", "time": "9:15"},
        result='{"callback":"B30","phone":"01614960321","time":"Monday 4 May, 9:15"}',
    ),
    Example(text="Do you have a car park?"),
    Example(
        text="Is tom.reed@example.com registered with you?",
        tool="find_customer",
        arguments={"customer": "tom.reed@example.com"},
        result='{"customer_id":"C0999","name":"Tom Reed"}',
    ),
    Example(
        text="Parcel 574 has not arrived, where is it now?",
        tool="order_status",
        arguments={"order_id": "574"},
        result='{"order":"574","status":"shipped","expected_on":"2026-05-06"}',
    ),
    Example(
        text="What does the Brio desk fan cost?",
        tool="product_stock",
        arguments={"product": "Brio desk fan"},
        result='{"product":"Brio Desk Fan","price":"32.00 GBP","in_stock":true,"pieces":9}',
    ),
    Example(text="Thank you, goodbye!"),
)
"""One or two for each tool, and four that no tool serves."""
