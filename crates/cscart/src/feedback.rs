//! What customers say, where an add-on lets them: comments and reviews, reviews of products, requests to be called.
//! (`discussions.rst` of the documentation; the add-ons of CS-Cart 4.20.1.)

use jiff::Timestamp;

use crate::{
    CallRequestId, CompanyId, OrderId, PostId, ProductId, ReviewId, UserId, loose,
    record::{entity, record},
};

record! {
    /// A comment or review of the add-on Comments and Reviews.
    Discussion {
        /// Its id.
        post_id: Option<PostId> = "loose::opt_id",
        /// The thread that it is in.
        thread_id: Option<PostId> = "loose::opt_id",
        /// On what: `P` a product, `C` a category, `A` a page, `O` an order, `E` the store.
        object_type: Option<String> = "loose::opt_string",
        /// The id of that.
        object_id: Option<String> = "loose::opt_string",
        /// Who wrote it, as he called himself.
        name: Option<String> = "loose::opt_string",
        /// What he wrote.
        message: Option<String> = "loose::opt_string",
        /// How many stars, 1 to 5.
        rating_value: Option<u64> = "loose::opt_u64",
        /// `A` shown, `D` not shown.
        status: Option<String> = "loose::opt_string",
        /// Who wrote it, if registered.
        user_id: Option<UserId> = "loose::opt_id",
        /// When.
        timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(Discussion, post_id: PostId, "discussions", "comments and reviews");

record! {
    /// A review of the add-on Product Reviews.
    ProductReview {
        /// Its id.
        product_review_id: Option<ReviewId> = "loose::opt_id",
        /// Of which product.
        product_id: Option<ProductId> = "loose::opt_id",
        /// Who wrote it, if registered.
        user_id: Option<UserId> = "loose::opt_id",
        /// How many stars, 1 to 5.
        rating_value: Option<u64> = "loose::opt_u64",
        /// What he wrote.
        comment: Option<String> = "loose::opt_string",
        /// `A` shown, `D` not shown.
        status: Option<String> = "loose::opt_string",
    }
}

entity!(ProductReview, product_review_id: ReviewId, "product_reviews", "product reviews");

record! {
    /// A request to be called.
    CallRequest {
        /// Its id.
        request_id: Option<CallRequestId> = "loose::opt_id",
        /// Who asks, if registered.
        user_id: Option<UserId> = "loose::opt_id",
        /// The order that was made of it.
        order_id: Option<OrderId> = "loose::opt_id",
        /// About which product.
        product_id: Option<ProductId> = "loose::opt_id",
        /// Of which storefront or vendor.
        company_id: Option<CompanyId> = "loose::opt_id",
        /// `new`, `in_progress`, `completed`, `no_answer`.
        status: Option<String> = "loose::opt_string",
        /// Who asks.
        name: Option<String> = "loose::opt_string",
        /// Under which number.
        phone: Option<String> = "loose::opt_string",
        /// From when on he can be called, as `10:00`.
        time_from: Option<String> = "loose::opt_string",
        /// Until when.
        time_to: Option<String> = "loose::opt_string",
        /// What was noted.
        notes: Option<String> = "loose::opt_string",
        /// When he asked.
        timestamp: Option<Timestamp> = "loose::opt_time",
    }
}

entity!(CallRequest, request_id: CallRequestId, "call_requests", "call requests");
